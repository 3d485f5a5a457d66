"""The first command of the README, as somebody runs it who has never seen the project."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness import ROOT, commit, export, git

FIRST_ANSWER_S = 300


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository with this README and the template as it lies here."""
    repo = export(tmp_path / "clone")
    for name in ("README.md", ".gitignore"):
        shutil.copy(ROOT / name, repo / name)
    commit(repo)
    return repo


def first_command() -> str:
    """The first command in the README."""
    block = re.search(r"```sh\n(.+?)\n```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert block
    return block[1]


def test_the_first_command_ends_with_a_cited_answer_and_the_project_can_be_updated(
    clone: Path,
) -> None:
    variables = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    # Whoever tries the command has not activated the environment of these tests.
    own = str(Path(sys.executable).parent)
    places = os.environ["PATH"].split(os.pathsep)
    variables["PATH"] = os.pathsep.join(place for place in places if place != own)

    done = subprocess.run(
        ["sh", "-c", first_command()],
        cwd=clone,
        env=variables | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=FIRST_ANSWER_S,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "EUR 95 for a Kestrel 20" in done.stdout
    assert "(data/handbook/operations/repair-workshop.md)" in done.stdout
    service = clone.parent / "my-service"
    commit(service)
    copier = [str(clone / ".tools/bin/uvx"), "copier>=9.19,<10", "update", "--defaults"]
    subprocess.run(copier, cwd=service, check=True, capture_output=True, timeout=FIRST_ANSWER_S)
    assert git(service, "status", "--porcelain", "--", ".", ":!uv.lock") == ""
