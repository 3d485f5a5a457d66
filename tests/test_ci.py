"""The generated continuous integration, by the checkers of those who know its formats."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent


def run(*command: str | Path) -> str:
    """What a checker prints; it must be content."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("ci", "file", "schema"),
    [
        ("github", ".github/workflows/ci.yml", "vendor.github-workflows"),
        ("gitlab", ".gitlab-ci.yml", "vendor.gitlab-ci"),
    ],
)
def test_the_pipeline_has_the_form_that_its_system_reads(
    project: Callable[..., Path], ci: str, file: str, schema: str
) -> None:
    made = project(ci=ci)

    run(BIN / "check-jsonschema", "--builtin-schema", schema, made / file)


def test_the_workflow_gives_away_no_rights_and_pins_what_it_runs(
    project: Callable[..., Path],
) -> None:
    made = project(ci="github")

    run(BIN / "zizmor", "--offline", "--quiet", made / ".github/workflows/ci.yml")
