"""What a change to the template must never do, read from its sources."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pathspec import PathSpec

from harness import ROOT, asked, config, preset, questions, render, snapshot

TEMPLATE = ROOT / "template"
TAG = re.compile(r"\{%.*?%\}|^[ \t]*# %.*$", re.DOTALL | re.MULTILINE)
OUTPUT = re.compile(r"\{\{.*?\}\}", re.DOTALL)
OPENING = re.compile(r"(?:\{%|# %)\s*(?:if|for|macro|call|filter|block|set\s+\w+\s*%\})\b")
CLOSING = re.compile(r"(?:\{%|# %)\s*end\w+")


def sources() -> list[Path]:
    """Every file of the template that git knows or would take."""
    from harness import git

    listed = git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "template")
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def templates() -> list[Path]:
    return [path for path in sources() if path.suffix == ".jinja"]


def ownership() -> dict[str, list[str]]:
    text = (ROOT / "hooks" / "ownership.yml").read_text(encoding="utf-8")
    classes: dict[str, list[str]] = yaml.safe_load(text)
    return classes


def matching(patterns: list[str]) -> PathSpec[Any]:
    return PathSpec.from_lines("gitignore", patterns)


# Trust


def test_neither_copy_nor_update_needs_trust() -> None:
    assert config().get("_tasks", []) == []
    assert config().get("_jinja_extensions", []) == []


def test_a_migration_has_a_version() -> None:
    # One without would ask every update for --trust, for ever.
    assert [m for m in config().get("_migrations", []) if not m.get("version")] == []


def test_hooks_hold_sandboxed_templates_and_migrations_only() -> None:
    hooks = [path for path in (ROOT / "hooks").rglob("*") if path.is_file()]
    allowed = {".jinja", ".md", ".yml"}

    outside = [p.name for p in hooks if p.suffix not in allowed and p.parent.name != "migrations"]
    assert outside == []


def test_a_missing_name_is_an_error_and_not_an_empty_text() -> None:
    assert config()["_envops"]["undefined"] == "jinja2.StrictUndefined"


# Questions


def test_every_question_has_a_default() -> None:
    # Without one, `copier update --defaults` fails for every project made before the question.
    assert [name for name, row in questions().items() if "default" not in row] == []


def test_every_asked_question_has_help() -> None:
    assert [name for name in asked() if not questions()[name].get("help")] == []


def test_help_fits_a_small_terminal() -> None:
    # Prompts cut what is wider, and the end of a sentence is lost.
    lines = {(name, line) for name in asked() for line in questions()[name]["help"].splitlines()}

    assert [(name, line) for name, line in lines if len(line) > 76] == []


def test_no_validator_where_prompts_ignore_it() -> None:
    # Yes-or-no and choose-one prompts never call it, and the next update drops the answer.
    ignored = [
        name
        for name, row in questions().items()
        if "validator" in row
        and (row["type"] == "bool" or ("choices" in row and not row.get("multiselect")))
    ]

    assert ignored == []


def test_free_answers_are_validated() -> None:
    free = [
        name
        for name in asked()
        if questions()[name]["type"] != "bool" and "choices" not in questions()[name]
    ]

    assert [name for name in free if "validator" not in questions()[name]] == []


def test_no_secret_is_asked_for() -> None:
    assert [name for name, row in questions().items() if row.get("secret")] == []


def test_templates_read_no_answer_whose_question_may_not_have_been_asked() -> None:
    # With --data it would count for this copy, and not be stored for the next update.
    conditional = {name for name in asked() if "when" in questions()[name]}
    texts = {path: path.read_text(encoding="utf-8") for path in templates()}

    read = [
        (path.name, name)
        for path, text in texts.items()
        for tag in (*TAG.findall(text), *OUTPUT.findall(text))
        for name in conditional
        if re.search(rf"(?<![.\w]){name}\b", tag)
    ]
    assert read == []


# Files


def test_paths_check_out_on_windows() -> None:
    paths = [path.relative_to(ROOT).as_posix() for path in sources()]

    assert [path for path in paths if re.search(r'[<>:"|?*\\]', path)] == []
    assert [path for path in paths if len(path) >= 150] == []


def test_no_python_is_a_template() -> None:
    python = [path for path in sources() if ".py" in path.suffixes]

    assert [path.name for path in python if path.suffix == ".jinja"] == []
    assert [p.name for p in python if TAG.search(p.read_text("utf-8"))] == []


def test_jinja_stays_within_its_budget() -> None:
    texts = [path.read_text("utf-8") for path in templates()]
    tags = sum(len(TAG.findall(text)) for text in texts)
    lines = sum(text.count("\n") for text in texts)

    assert len([text for text in texts if TAG.search(text)]) * 4 <= len(sources())
    # Counted over the files that are templates, which is stricter than over all files.
    assert tags <= 10 * lines / 100
    all_lines = sum(path.read_bytes().count(b"\n") for path in sources())
    assert tags <= 2 * all_lines / 100


@pytest.mark.parametrize("path", templates(), ids=lambda path: path.name)
def test_tags_are_not_nested(path: Path) -> None:
    depth = 0
    for tag in TAG.findall(path.read_text("utf-8")):
        depth += bool(OPENING.match(tag.strip())) - bool(CLOSING.match(tag.strip()))
        assert depth <= 1, tag


def test_only_files_with_jinja_have_its_suffix() -> None:
    plain = [
        path.name
        for path in templates()
        if not TAG.search(path.read_text("utf-8")) and not OUTPUT.search(path.read_text("utf-8"))
    ]

    assert plain == []


def test_workflows_are_not_templates() -> None:
    # GitHub's ${{ }} is Jinja's, too.
    assert [path.name for path in templates() if "workflows" in path.parts] == []


@pytest.mark.parametrize("pattern", ["*.pyc", "__pycache__"])
def test_leftovers_of_running_the_template_in_place_are_not_copied(pattern: str) -> None:
    # Copier's own list of such things ends where _subdirectory or _exclude begins.
    assert pattern in config()["_exclude"]


# Ownership


@pytest.fixture(scope="module")
def rendered(template: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The paths of two projects that together have every file."""
    base = tmp_path_factory.mktemp("ownership")
    one = snapshot(render(template, base / "github"))
    two = snapshot(render(template, base / "gitlab", **preset("strict")))
    return sorted({*one, *two})


def test_every_file_is_in_a_class(rendered: list[str]) -> None:
    classes = [matching(patterns) for patterns in ownership().values()]

    assert [path for path in rendered if not any(c.match_file(path) for c in classes)] == []


def test_no_file_is_in_two_classes(rendered: list[str]) -> None:
    classes = {name: matching(patterns) for name, patterns in ownership().items()}
    found = {p: [name for name, c in classes.items() if c.match_file(p)] for p in rendered}

    assert {path: names for path, names in found.items() if len(names) > 1} == {}


@pytest.mark.parametrize("name", ["kept", "merged", "seeded", "once"])
def test_every_class_and_pattern_is_in_use(name: str, rendered: list[str]) -> None:
    future = {"/deploy/", "/docs/", "/evals/", "/src/app/providers/*.py"}  # nothing is there yet
    unused = [
        pattern
        for pattern in ownership()[name]
        if not pattern.startswith("!")
        and pattern not in future
        and not any(matching([pattern]).match_file(path) for path in rendered)
    ]

    assert unused == []


def test_seeded_and_once_are_never_overwritten(rendered: list[str]) -> None:
    skipped = matching(config()["_skip_if_exists"])
    classes = ownership()
    yours = matching([*classes["seeded"]]), matching(classes["once"])

    wrong = [
        path
        for path in rendered
        if skipped.match_file(path) != any(spec.match_file(path) for spec in yours)
    ]
    assert wrong == []


def test_once_is_excluded_from_updates_and_nothing_else_is(rendered: list[str]) -> None:
    on_update = [
        found[1]
        for line in config()["_exclude"]
        if (found := re.search(r"_copier_operation == 'update' %\}([^{]*)\{%", line))
    ]
    excluded, once = matching(on_update), matching(ownership()["once"])

    wrong = [path for path in rendered if excluded.match_file(path) != once.match_file(path)]
    assert wrong == []
