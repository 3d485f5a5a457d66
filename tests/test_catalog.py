"""The catalog's facts, against the sources they come from."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import genai_prices
import pytest
from copier._main import Worker

from harness import ROOT

OFFERED = ["openai", "anthropic", "google"]


@pytest.fixture(scope="module")
def catalog(template: Path) -> Any:
    """`hooks/catalog.jinja` as a module: its tables are attributes."""
    worker = Worker(src_path=str(template), quiet=True)
    return worker.jinja_env.get_template("hooks/catalog.jinja").module


def price(provider: str, model: str, checked_on: str) -> tuple[float, float]:
    """Dollars for a million tokens in and a million out, on that day at noon."""
    million = genai_prices.Usage(input_tokens=1_000_000, output_tokens=1_000_000)
    day = datetime.fromisoformat(checked_on).replace(hour=12, tzinfo=UTC)
    found = genai_prices.calc_price(
        million, model, provider_id=provider, genai_request_timestamp=day
    )
    return float(found.input_price), float(found.output_price)


@pytest.mark.parametrize("name", OFFERED)
def test_prices_are_those_of_the_price_data(catalog: Any, name: str) -> None:
    row = catalog.PROVIDERS[name]

    assert (row["input_usd_per_mtok"], row["output_usd_per_mtok"]) == price(
        name, row["model"], catalog.CHECKED_ON
    )


@pytest.mark.parametrize("name", OFFERED)
def test_embedding_models_exist_in_the_price_data(catalog: Any, name: str) -> None:
    embedding = catalog.PROVIDERS[name]["embedding"]
    if embedding is None:
        pytest.skip("this vendor has none")

    assert price(name, embedding["model"], catalog.CHECKED_ON)[0] > 0


def test_no_offered_model_is_about_to_be_shut_down(catalog: Any) -> None:
    models = {row["model"] for row in catalog.PROVIDERS.values()}

    assert models.isdisjoint(catalog.SHUTDOWNS)


def test_every_provider_is_a_module_of_the_chassis(catalog: Any) -> None:
    folder = ROOT / "template" / "chassis" / "src" / "chassis" / "providers"

    assert [name for name in catalog.PROVIDERS if not (folder / f"{name}.py").exists()] == []


def test_every_vendor_extra_is_one_of_the_chassis(
    catalog: Any, project: Callable[..., Path]
) -> None:
    text = (ROOT / "template" / "chassis" / "pyproject.toml").read_text(encoding="utf-8")
    extras = {row["extra"] for row in catalog.PROVIDERS.values()} - {None}

    assert [extra for extra in extras if f"\n{extra} = [" not in text] == []


def test_every_secret_is_the_one_its_module_asks_for(catalog: Any) -> None:
    folder = ROOT / "template" / "chassis" / "src" / "chassis" / "providers"
    for name, row in catalog.PROVIDERS.items():
        code = (folder / f"{name}.py").read_text(encoding="utf-8")

        assert [secret for secret in row["secrets"] if f'"{secret}"' not in code] == [], name
