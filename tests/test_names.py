"""What becomes of a project's name, and which names are refused."""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from copier._main import Worker

from harness import render

GOOD = {
    "AI service": "ai-service",
    "Kundenservice 2": "kundenservice-2",
    "support-bot": "support-bot",
    "--Support__Bot--": "support-bot",
    "Größenberatung": "gr-enberatung",
    "R2-D2": "r2-d2",
    "Ask 🎉 me": "ask-me",
    "x": "x",
    '\'; DROP TABLE "answers" --': "drop-table-answers",
    "a" * 60: "a" * 40,
    "Help desk for the people of the northern region": "help-desk-for-the-people-of-the-northern",
    "abcdefghij abcdefghij abcdefghij abcdef h": "abcdefghij-abcdefghij-abcdefghij-abcdef",
}
BAD = {
    "": "use 1 to 60",
    "   ": "use 1 to 60",
    "a" * 61: "use 1 to 60",
    "2nd line": "start with a letter",
    "客服": "start with a letter",
    "123": "start with a letter",
    "bell\x07": "control characters",
    "two\nlines": "control characters",
}
# A Docker image name, a Kubernetes object and a DNS label, all at once.
LABEL = re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?")


@pytest.mark.parametrize("name", GOOD)
def test_a_name_gives_a_valid_short_form(name: str, project: Callable[..., Path]) -> None:
    made = project(project_name=name)

    service = tomllib.loads((made / "config" / "objectives.toml").read_text("utf-8"))["service"]
    assert service["name"] == name
    assert service["slug"] == GOOD[name]
    assert LABEL.fullmatch(service["slug"])
    assert (made / "README.md").read_text("utf-8").startswith(f"# {name}\n")


@pytest.mark.parametrize("name", BAD)
def test_a_name_without_a_valid_short_form_is_refused(
    name: str, template: Path, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=BAD[name]):
        render(template, tmp_path / "project", project_name=name)

    assert not (tmp_path / "project").exists()


@pytest.mark.parametrize(
    ("purpose", "problem"),
    [
        ("", "a sentence"),
        (" \t", "a sentence"),
        ("x" * 201, "at most 200"),
        ("one\ntwo", "one line"),
        ("one\u2028two", "one line"),
        ("delete\x7f", "one line"),
        ("escape\x1b[0m", "one line"),
    ],
)
def test_a_purpose_that_breaks_a_file_is_refused(
    purpose: str, problem: str, template: Path, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=problem):
        render(template, tmp_path / "project", purpose=purpose)


@pytest.mark.parametrize(
    "purpose",
    [
        'Says "hello", \\ and C:\\new\\table',
        "Braces {{ purpose }} {% raw %} {# no #} ${{ x }}",
        "# % if this were a statement",
        "Ümläuts, 漢字, emoji 🎉👩‍🔬",
        "'single' and '''triple''' and \"\"\"double\"\"\"",
        "trailing backslash \\",
        "\\u0041 is not A",
    ],
)
def test_a_purpose_arrives_as_it_was_typed(purpose: str, project: Callable[..., Path]) -> None:
    made = project(purpose=purpose)

    objectives = tomllib.loads((made / "config" / "objectives.toml").read_text("utf-8"))
    assert objectives["service"]["purpose"] == purpose
    package = tomllib.loads((made / "pyproject.toml").read_text("utf-8"))
    assert package["project"]["description"] == purpose


URLS = {
    "http://127.0.0.1:11434/v1": True,
    "https://models.example.com/openai/v1": True,
    "http://[::1]:8000/v1": True,
    "https://models.example.com": True,
    "models.example.com/v1": False,
    "ftp://models.example.com": False,
    "https://user:secret@models.example.com/v1": False,
    "https://models.example.com/v1?key=secret": False,
    'https://models.example.com/"v1': False,
    "https://models.example.com/v1\n": False,
    "": False,
}
MODELS = {
    "llama3.2": True,
    "meta/llama-3.3-70b:free": True,
    "": False,
    "two words": False,
    'quo"te': False,
}


def macro(template: Path, name: str) -> Callable[[str], str]:
    names = Worker(src_path=str(template), quiet=True).jinja_env.get_template("hooks/names.jinja")
    found: Callable[[str], str] = getattr(names.module, name)
    return found


@pytest.mark.parametrize("url", URLS)
def test_addresses_are_checked(url: str, template: Path) -> None:
    assert (str(macro(template, "url_problem")(url)).strip() == "") is URLS[url]


@pytest.mark.parametrize("model", MODELS)
def test_model_names_are_checked(model: str, template: Path) -> None:
    assert (str(macro(template, "model_problem")(model)).strip() == "") is MODELS[model]
