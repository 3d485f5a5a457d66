import os

import pytest
from project import make_project

from chassis.errors import ConfigError
from chassis.settings import load, refuse_unknown_variables


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in list(os.environ):
        if name.upper().startswith("APP_") or name == "DATABASE_URL":
            monkeypatch.delenv(name)
    return make_project(tmp_path / "project") / "config"


def test_the_files_are_read(folder):
    settings = load(folder)

    assert settings.env == "dev"
    assert settings.objectives.latency.p95_ms == 4000
    assert settings.models.routes["answer"].candidates[0].name == "openai/model-1"
    assert settings.sources["notes"].connect_settings["texts"] == {
        "a": "# Alpha\n\nThe alpha door opens at nine o'clock."
    }


def test_a_file_saved_with_a_byte_order_mark_is_read(folder):
    text = (folder / "models.toml").read_text(encoding="utf-8")
    (folder / "models.toml").write_text(text, encoding="utf-8-sig")

    assert load(folder).models.routes["answer"].prompt == "answer"


def test_the_environment_reaches_into_a_table_and_leaves_its_other_keys(folder, monkeypatch):
    monkeypatch.setenv("APP_MODELS__PROVIDERS__OPENAI__BASE_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("APP_OBJECTIVES__LATENCY__P95_MS", "9000")

    settings = load(folder)

    assert settings.models.providers["openai"].connect_settings == {
        "base_url": "http://127.0.0.1:1"
    }
    assert settings.objectives.latency.p95_ms == 9000
    assert settings.objectives.latency.first_token_ms == 2000


def test_the_database_has_the_name_that_every_host_gives_it(folder, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://db/x")

    assert load(folder).database_url == "postgres://db/x"


@pytest.mark.parametrize(
    ("variable", "message"),
    [
        ("APP_PROT", "APP_PROT names no setting; did you mean APP_PORT?"),
        ("APP_DATABASE_URL", "APP_DATABASE_URL names no setting; did you mean DATABASE_URL?"),
        ("app_objektives__LATENCY__P95_MS", "did you mean APP_OBJECTIVES?"),
        ("APP_XYZZY", "APP_XYZZY names no setting; known: APP_DRAIN_S, APP_ENV,"),
    ],
)
def test_a_misspelt_variable_is_an_error_that_names_the_fix(variable, message):
    with pytest.raises(ConfigError) as caught:
        refuse_unknown_variables({"PATH": "/bin", variable: "1"})

    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("APP_SERVICE_HOST", "10.0.0.7"),
        ("APP_SERVICE_PORT", "80"),
        ("APP_SERVICE_PORT_HTTP", "80"),
        ("APP_PORT", "tcp://10.0.0.7:80"),
        ("APP_PORT_80_TCP_ADDR", "10.0.0.7"),
        ("APP_WEB_PORT", "tcp://10.0.0.7:80"),
        ("APP_WEB_SERVICE_HOST", "10.0.0.7"),
    ],
)
def test_a_variable_that_kubernetes_made_is_an_error_that_says_so(variable, value):
    with pytest.raises(ConfigError, match=r"Kubernetes Service .* enableServiceLinks: false"):
        refuse_unknown_variables({variable: value})


def test_the_port_is_no_kubernetes_variable():
    refuse_unknown_variables({"APP_PORT": "8000", "APP_SECRETS_DIR": "/x", "APPLE": "1"})


def test_an_unknown_key_is_an_error_that_names_it_and_not_its_value(folder):
    with (folder / "objectives.toml").open("a") as file:
        file.write("[load2]\ntoken = 'abc-secret'\n")

    with pytest.raises(ConfigError) as caught:
        load(folder)

    assert str(caught.value) == "config/objectives.toml: load2: there is no such key"


def test_a_value_out_of_range_is_an_error_that_shows_it(folder):
    path = folder / "objectives.toml"
    path.write_text(path.read_text().replace("peak_rps = 5", "peak_rps = -5"))

    with pytest.raises(ConfigError) as caught:
        load(folder)

    assert str(caught.value) == (
        "config/objectives.toml: load.peak_rps: input should be greater than 0 (got -5)"
    )


def test_a_wrong_value_from_the_environment_is_blamed_on_its_variable(folder, monkeypatch):
    monkeypatch.setenv("APP_OBJECTIVES__LOAD__PEAK_RPS", "many")
    monkeypatch.setenv("APP_MODELS__PROVIDRS__OPENAI__BASE_URL", "x")

    with pytest.raises(ConfigError) as caught:
        load(folder)

    assert str(caught.value).splitlines() == [
        "environment variable APP_OBJECTIVES__LOAD__PEAK_RPS: input should be a valid number, "
        "unable to parse string as a number (got 'many')",
        "environment variable APP_MODELS__PROVIDRS__OPENAI__BASE_URL: there is no such key",
    ]


def test_a_table_in_a_variable_that_is_not_json_is_an_error(folder, monkeypatch):
    monkeypatch.setenv("APP_MODELS", "{providers")

    with pytest.raises(ConfigError, match=r'"models".*written as JSON'):
        load(folder)


def test_a_missing_key_is_an_error_that_names_it(folder):
    path = folder / "objectives.toml"
    path.write_text(path.read_text().replace("typical_tokens = 100\n", ""))

    with pytest.raises(ConfigError) as caught:
        load(folder)

    assert str(caught.value) == "config/objectives.toml: answer.typical_tokens: is missing"


def test_a_missing_file_is_an_error_that_says_where_it_should_be(folder):
    (folder / "sources.toml").unlink()

    with pytest.raises(ConfigError, match=r"sources\.toml is missing; run this from the project"):
        load(folder)


def test_a_file_that_is_not_toml_is_an_error_with_the_line(folder):
    (folder / "sources.toml").write_text("[files\npath = 1")

    with pytest.raises(ConfigError, match=r"sources\.toml is not valid TOML: .*line 1"):
        load(folder)


def test_a_candidate_of_a_provider_without_a_table_is_named(folder):
    models = (folder / "models.toml").read_text()
    (folder / "models.toml").write_text(models.replace("[providers.", "[providers.no_"))

    with pytest.raises(ConfigError, match=r"models.*names '\w+'; no \[providers\.\w+\]"):
        load(folder)


def test_a_missing_answer_route_is_named(folder):
    (folder / "models.toml").write_text('[routes.other]\nprompt = "answer"\n')

    with pytest.raises(ConfigError, match=r"\[routes\.answer\] is missing"):
        load(folder)
