"""The configuration of this service: it loads, and production would start with it."""

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from chassis.adapters import Adapters
from chassis.app import open_app, refuse_infeasible
from chassis.errors import MissingSecret
from chassis.secrets import Secrets
from chassis.settings import load

CONFIG = Path(__file__).parents[1] / "config"


@pytest.fixture(autouse=True)
def in_production(monkeypatch):
    monkeypatch.setenv("APP_ENV", "production")
    monkeypatch.chdir(CONFIG.parent)


class AnySecret(Secrets):
    """Has every secret that is asked for."""

    def get(self, name):
        self.asked[name] = "test"
        return "not-a-real-secret"


async def test_every_part_that_the_configuration_names_can_be_built():
    secrets = AnySecret({})

    async with open_app("app", load(CONFIG), secrets, "postgresql://unused") as app:
        assert set(app.sources) == set(app.service.settings.sources)

    example = (CONFIG.parent / ".env.example").read_text()
    assert [name for name in secrets.asked if name not in example] == []


def test_what_the_providers_need_is_installed_in_production_too():
    adapters = Adapters("app", AnySecret({}))
    project = tomllib.loads((CONFIG.parent / "pyproject.toml").read_text())
    groups = {"main": project["project"]["dependencies"], **project["dependency-groups"]}
    extras = [
        Requirement(each).extras
        for name, dependencies in groups.items()
        for each in dependencies
        if name != "dev" and each.startswith("chassis")
    ]

    needed = {
        getattr(adapters.find("providers", provider.adapter or name), "SDK", None)
        for name, provider in load(CONFIG).models.providers.items()
    }

    assert needed - {None} <= set().union(*extras), "run `uv add 'chassis[<provider>]'`"


async def test_production_does_not_start_without_a_secret():
    settings = load(CONFIG)
    needed = AnySecret({})
    async with open_app("app", settings, needed, "postgresql://unused"):
        pass

    for name in needed.asked:
        held = {other: "x" for other in needed.asked if other != name}
        with pytest.raises(MissingSecret, match=name):
            async with open_app("app", settings, Secrets(held), "postgresql://unused"):
                pass


def test_the_objectives_can_be_met_or_were_accepted():
    refuse_infeasible(load(CONFIG))
