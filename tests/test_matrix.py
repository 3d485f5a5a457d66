"""Every pair of answers, rendered, parsed, loaded and imported; every preset, too."""

import subprocess
import sys
import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from copier.errors import UserMessageError

from checks import accepts_what_fails, configuration, parse
from covering import covering
from harness import PRESETS, commit, export, imports, preset, questions, render, snapshot
from space import CONSTRAINTS, DOMAIN, answers

ROWS = [answers(row) for row in covering(DOMAIN, CONSTRAINTS)]
CASES = {**{f"pairs-{n}": row for n, row in enumerate(ROWS)}, **{p: preset(p) for p in PRESETS}}
RELEASED = date(2026, 11, 24)  # the catalog's day


@pytest.mark.parametrize("case", CASES)
def test_answers_give_a_project_that_loads(
    case: str, template: Path, project: Callable[..., Path]
) -> None:
    made = project(**CASES[case])

    parse(snapshot(made), template, CASES[case].get("purpose", "-"))
    accepts_what_fails(configuration(made), RELEASED)
    assert imports(made) == ""


@pytest.mark.parametrize("case", CASES)
def test_configuration_says_what_was_answered(case: str, project: Callable[..., Path]) -> None:
    given = CASES[case]
    settings = configuration(project(**given))
    want, route = settings.objectives, settings.models.routes["answer"]
    default = {name: row["default"] for name, row in questions().items()}

    chosen = given.get("providers", default["providers"])
    first = given.get("primary_provider", (chosen or [None])[0])
    assert [c.provider for c in route.candidates[:1]] == [first] * bool(chosen)
    assert {c.provider for c in route.candidates} == set(settings.models.providers) == set(chosen)
    assert set(settings.sources) == set(given.get("data_sources", ["files"]))
    assert [n for n, s in settings.sources.items() if s.hard] == given.get("hard_sources", [])
    assert want.latency.p95_ms == given.get("latency_p95_ms", 8000)
    assert want.latency.streamed is given.get("streamed", True)
    assert want.answer.typical_tokens == given.get("answer_tokens", 250)
    assert want.load.peak_rps == given.get("peak_rps", 5)
    mode = given.get("degraded_mode", "sources_only")
    assert want.availability.degraded_mode == mode
    counted = mode != "refuse" and given.get("degraded_counts", True)
    assert want.availability.degraded_counts is counted
    assert f"{100 * want.availability.target:g}" == given.get("availability", "99.5")


@pytest.mark.parametrize("case", [*list(CASES)[::5], *PRESETS])
def test_answers_are_stored_and_give_the_same_project_again(
    case: str, template: Path, project: Callable[..., Path], tmp_path: Path
) -> None:
    made = project(**CASES[case])
    stored = yaml.safe_load((made / ".copier-answers.yml").read_text(encoding="utf-8"))
    again = {name: value for name, value in stored.items() if not name.startswith("_")}

    assert snapshot(render(template, tmp_path / "again", **again)) == snapshot(made)


def test_vendors_that_were_chosen_are_installed(project: Callable[..., Path]) -> None:
    def vendors(name: str, providers: list[str]) -> list[str]:
        package = (project(name, providers=providers) / "pyproject.toml").read_text("utf-8")
        found: list[str] = tomllib.loads(package)["dependency-groups"]["vendors"]
        return found

    assert vendors("none", []) == ["chassis"]
    assert vendors("one", ["google"]) == ["chassis[google]"]
    assert vendors("twice", ["openai", "openai_compatible"]) == ["chassis[openai]"]


def test_embeddings_come_from_the_first_provider_that_has_them(
    project: Callable[..., Path],
) -> None:
    def embeddings(name: str, **given: Any) -> str | None:
        found = configuration(project(name, **given)).models.embeddings
        return found.provider if found else None

    assert embeddings("none", providers=["anthropic"]) is None
    assert embeddings("second", providers=["anthropic", "google"]) == "google"
    both = ["openai", "google"]
    assert embeddings("first", providers=both, primary_provider="google") == "google"


def test_a_model_at_the_end_of_its_life_carries_its_date(project: Callable[..., Path]) -> None:
    given = {"providers": ["openai_compatible"], "compatible_model": "openai/gpt-4o"}

    (candidate,) = configuration(project(**given)).models.routes["answer"].candidates

    assert candidate.shutdown_on == date(2027, 1, 14)


def test_a_sample_comes_only_with_the_source_that_reads_it(project: Callable[..., Path]) -> None:
    with_files, without = snapshot(project("with")), snapshot(project("without", data_sources=[]))

    assert {name.split("/")[0] for name in with_files.keys() - without.keys()} == {
        "data",
        "src",
        "tests",
    }


def test_an_answer_to_a_question_that_was_not_asked_changes_nothing(
    project: Callable[..., Path],
) -> None:
    unasked = {
        "first_token_ms": 400,
        "degraded_counts": True,
        "primary_provider": "openai",
        "compatible_model": "other",
        "hard_sources": [],
        "accept_infeasible": True,
    }
    given = {"streamed": False, "degraded_mode": "refuse", "providers": ["openai"]}
    given |= {"data_sources": [], "availability": "99"}

    assert snapshot(project("one", **given)) == snapshot(project("two", **given, **unasked))


def test_saving_time_changes_no_project(template: Path, tmp_path: Path) -> None:
    fast = render(template, tmp_path / "fast", **preset("strict"))
    answers = tmp_path / "answers.yml"
    answers.write_text(yaml.safe_dump(preset("strict")), encoding="utf-8")

    command = [sys.executable, "-m", "copier", "copy", "--quiet", "--defaults", "--data-file"]
    subprocess.run([*command, answers, template, tmp_path / "plain"], check=True)

    assert snapshot(tmp_path / "plain") == snapshot(fast)


def test_every_project_passes_the_linter_and_the_formatter(template: Path, tmp_path: Path) -> None:
    for name in PRESETS:
        render(template, tmp_path / name, **preset(name))

    for command in (["check"], ["format", "--check"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--no-cache", "--quiet", str(tmp_path)]
        done = subprocess.run(ruff, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_nothing_is_left_behind_when_answers_do_not_work_out(
    template: Path, tmp_path: Path
) -> None:
    with pytest.raises(UserMessageError) as stopped:
        render(template, tmp_path / "project", latency_p95_ms=2000, streamed=False)

    lines = str(stopped.value).splitlines()
    assert [line.split(":")[0].strip() for line in lines[1:-1]] == ["L1", "L2"]
    assert (
        "250 answer tokens at 50 tokens/s need 5,700 ms and the model stage has 1,620" in lines[1]
    )
    assert not (tmp_path / "project").exists()


def test_accepting_what_does_not_work_out_is_recorded(project: Callable[..., Path]) -> None:
    given = {"latency_p95_ms": 2000, "streamed": False, "accept_infeasible": True}

    made = project(**given)

    assert configuration(made).objectives.accepted.rules == ("L1", "L2")
    assert yaml.safe_load((made / ".copier-answers.yml").read_text())["accept_infeasible"] is True


def test_accepting_is_forgotten_when_there_is_nothing_to_accept(
    project: Callable[..., Path],
) -> None:
    stored = yaml.safe_load((project(accept_infeasible=True) / ".copier-answers.yml").read_text())

    assert "accept_infeasible" not in stored


def test_uncommitted_work_is_tested_and_ignored_files_are_not(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "template").mkdir(parents=True)
    (root / ".gitignore").write_text("*.pyc\n")
    (root / "template" / "committed.py").touch()
    commit(root)
    (root / "template" / "new.py").touch()
    (root / "template" / "new.pyc").touch()

    found = export(tmp_path / "exported", root)

    assert {path.name for path in found.rglob("*.*")} == {"committed.py", "new.py"}
