import os

import pytest

from chassis.errors import ConfigError, MissingSecret
from chassis.secrets import Secrets, open_secrets


def test_the_environment_goes_before_files_and_files_before_dotenv(tmp_path):
    (tmp_path / "A").write_text("file")
    (tmp_path / "B").write_text("file")
    dotenv = {"A": "dotenv", "B": "dotenv", "C": "dotenv"}

    secrets = Secrets({"A": "environment"}, tmp_path, dotenv)

    assert [secrets.get(name) for name in "ABC"] == ["environment", "file", "dotenv"]
    assert secrets.asked == {"A": "environment", "B": str(tmp_path / "B"), "C": ".env"}


def test_the_newline_at_the_end_of_a_file_is_no_part_of_the_secret(tmp_path):
    (tmp_path / "A").write_bytes(b"two\nlines\r\n")

    assert Secrets({}, tmp_path).get("A") == "two\nlines"


@pytest.mark.parametrize("value", ["", "  ", "\n"])
def test_a_secret_set_to_nothing_is_missing(tmp_path, value):
    with pytest.raises(MissingSecret):
        Secrets({"A": value}, tmp_path).get("A")


def test_an_empty_variable_leaves_the_choice_to_the_file(tmp_path):
    (tmp_path / "A").write_text("file")

    assert Secrets({"A": ""}, tmp_path).get("A") == "file"


def test_a_missing_secret_is_an_error_that_names_it_and_is_remembered(tmp_path):
    secrets = Secrets({}, tmp_path)

    with pytest.raises(MissingSecret, match=r"secret OPENAI_API_KEY is not set; .* see \.env"):
        secrets.get("OPENAI_API_KEY")

    assert secrets.asked == {"OPENAI_API_KEY": None}


def test_the_record_of_what_was_asked_never_holds_a_value(tmp_path):
    (tmp_path / "B").write_text("value-b")
    secrets = Secrets({"A": "value-a"}, tmp_path, {"C": "value-c"})

    for name in "ABC":
        secrets.get(name)

    assert "value" not in f"{secrets.asked} {secrets!r}"


def test_a_file_that_is_not_text_is_an_error_without_its_content(tmp_path):
    (tmp_path / "A").write_bytes(b"abc\xff")

    with pytest.raises(ConfigError) as caught:
        Secrets({}, tmp_path).get("A")

    assert str(caught.value) == f"secret file {tmp_path / 'A'} cannot be read: UnicodeDecodeError"
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(("env", "found"), [("dev", True), ("test", True), ("production", False)])
def test_dotenv_counts_only_outside_production(tmp_path, monkeypatch, env, found):
    monkeypatch.setenv("APP_SECRETS_DIR", str(tmp_path / "none"))
    monkeypatch.delenv("DAY_KEY", raising=False)
    (tmp_path / ".env").write_text("DAY_KEY='from dotenv'\n")

    secrets = open_secrets(env, tmp_path)

    if found:
        assert secrets.get("DAY_KEY") == "from dotenv"
    else:
        with pytest.raises(MissingSecret):
            secrets.get("DAY_KEY")
    assert "DAY_KEY" not in os.environ


def test_mounted_secrets_are_read_from_the_folder_that_the_environment_names(tmp_path, monkeypatch):
    monkeypatch.setenv("APP_SECRETS_DIR", str(tmp_path))
    monkeypatch.delenv("DAY_KEY", raising=False)
    (tmp_path / "DAY_KEY").write_text("mounted\n")

    assert open_secrets("production", tmp_path / "project").get("DAY_KEY") == "mounted"
