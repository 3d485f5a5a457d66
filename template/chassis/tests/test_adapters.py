import sys
import uuid

import pytest

from chassis.adapters import Adapters
from chassis.errors import ConfigError, MissingSecret
from chassis.providers.offline import Offline
from chassis.secrets import Secrets


@pytest.fixture
def package(tmp_path, monkeypatch):
    """The name of an empty team's package; `sources` and `providers` are in it."""
    name = f"team_{uuid.uuid4().hex[:8]}"
    for folder in (name, f"{name}/sources", f"{name}/providers"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    yield name
    for module in [module for module in sys.modules if module.partition(".")[0] == name]:
        del sys.modules[module]


@pytest.fixture
def write(tmp_path, package):
    """Write a module of the team's package."""

    def write(path, text):
        (tmp_path / package / path).write_text(text)

    return write


def connect(package, kind, name, settings=None, adapter=None, **secrets):
    adapters = Adapters(package, Secrets(secrets))
    return adapters.connect(kind, name, settings or {}, adapter)


def test_the_teams_adapter_goes_before_the_chassis_own(package, write):
    assert isinstance(connect(package, "providers", "offline"), Offline)

    write("providers/offline.py", "def connect(secrets): return 'ours'")

    assert connect(package, "providers", "offline") == "ours"


def test_two_tables_may_use_one_adapter(package, write):
    write("sources/rest.py", "def connect(secrets, *, url): return url")

    made = [
        connect(package, "sources", name, {"url": url}, "rest")
        for name, url in (("one", "http://one"), ("two", "http://two"))
    ]

    assert made == ["http://one", "http://two"]


def test_an_adapter_gets_its_secrets_when_it_connects(package, write):
    write("sources/rest.py", "def connect(secrets): return secrets.get('REST_TOKEN')")

    assert connect(package, "sources", "rest", REST_TOKEN="abc") == "abc"
    with pytest.raises(MissingSecret, match="REST_TOKEN"):
        connect(package, "sources", "rest")


def test_an_unknown_name_is_an_error_that_says_which_file_to_write(package):
    with pytest.raises(ConfigError) as caught:
        connect(package, "sources", "confluense")

    assert str(caught.value) == (
        "no sources adapter 'confluense'; expected a module "
        f"{package}.sources.confluense or chassis.sources.confluense"
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"path": "x", "patern": "*"}, "got an unexpected keyword argument 'patern'"),
        ({}, "argument: 'path'"),
        ({"path": "x", "secrets": 1}, "multiple values for argument 'secrets'"),
    ],
)
def test_settings_that_do_not_fit_are_an_error_that_shows_what_does(
    package, write, settings, message
):
    write("sources/files.py", "def connect(secrets, *, path, pattern='*'): return path")

    with pytest.raises(ConfigError) as caught:
        connect(package, "sources", "docs", settings, "files")

    assert f"[sources.docs] does not fit {package}.sources.files.connect" in str(caught.value)
    assert "(secrets, *, path, pattern='*')" in str(caught.value)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("import nowhere_to_be_found", "No module named 'nowhere_to_be_found'"),
        ("from json import nothing_like_it", "cannot import name 'nothing_like_it'"),
        ("raise ImportError('please install the SDK')", "please install the SDK"),
    ],
)
def test_a_broken_import_inside_an_adapter_is_not_a_missing_adapter(package, write, line, message):
    write("sources/rest.py", f"{line}\ndef connect(secrets): return None")

    with pytest.raises(ConfigError) as caught:
        connect(package, "sources", "rest")

    assert f"sources adapter {package}.sources.rest cannot be imported" in str(caught.value)
    assert message in str(caught.value)
    assert isinstance(caught.value.__cause__, ImportError)


def test_a_module_without_connect_is_an_error_that_says_so(package, write):
    write("sources/rest.py", "")

    with pytest.raises(ConfigError, match=rf"{package}\.sources\.rest has no function connect"):
        connect(package, "sources", "rest")


def test_a_package_without_the_folder_uses_the_chassis_adapters():
    assert isinstance(connect("no_such_package", "providers", "offline"), Offline)


def test_an_error_of_the_adapter_itself_is_not_hidden(package, write):
    write("sources/rest.py", "def connect(secrets): raise TypeError('a bug')")

    with pytest.raises(TypeError, match="a bug"):
        connect(package, "sources", "rest")
