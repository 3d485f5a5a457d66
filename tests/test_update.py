"""What an update does to a project that people have worked on."""

import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest import mock

import copier
import pytest
import yaml
from pathspec import PathSpec

from changes import all_changes
from harness import (
    ROOT,
    commit,
    git,
    imports,
    preset,
    questions,
    render,
    snapshot,
    update,
)

USERS = sorted(path.stem for path in (ROOT / "tests" / "users").glob("*.py"))
HOTFIXED = "chassis/src/chassis/policy.py"
ANSWERS = ".copier-answers.yml"
OLD, NEW = "v1.0.0", "v1.1.0"

Files = dict[str, bytes]


@pytest.fixture(scope="module", autouse=True)
def _clones_in_memory() -> Iterator[None]:
    """Let Copier clone into memory, where there is some: most of an update is small files."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 2**30
    with mock.patch.object(tempfile, "tempdir", str(memory) if roomy else tempfile.gettempdir()):
        yield


@pytest.fixture(scope="module")
def newer(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template with every change on top, without history."""
    folder = shutil.copytree(template, tmp_path_factory.mktemp("newer") / "template")
    all_changes(folder)
    return folder


@pytest.fixture(scope="module")
def releases(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two releases of the template: as it lies here, and with every change on top."""
    repo = shutil.copytree(template, tmp_path_factory.mktemp("releases") / "template")
    commit(repo, OLD)
    git(repo, "tag", OLD)
    all_changes(repo)
    commit(repo, NEW)
    git(repo, "tag", NEW)
    return repo


def start(releases: Path, project: Path, **answers: Any) -> Path:
    """Make a project from the old release and commit it, as its team would."""
    copier.run_copy(str(releases), project, data=answers, defaults=True, quiet=True, vcs_ref=OLD)
    commit(project)
    return project


def files(project: Path) -> Files:
    """What is in a project, without the answers: they name the release and where it was."""
    return {path: text for path, text in snapshot(project).items() if path != ANSWERS}


def edit(name: str, project: Path) -> None:
    """Do to the project what the user `name` does."""
    import_module(f"users.{name}").edit(project)


def unmerged(project: Path) -> set[str]:
    """Files with conflicts: what git says, and rejects that Copier may leave."""
    listed = git(project, "ls-files", "--unmerged").splitlines()
    rejects = {path.name for path in project.rglob("*.rej")}
    return {line.partition("\t")[2] for line in listed} | rejects


def once(path: str) -> bool:
    """Whether only the first copy writes this file."""
    return owned("once").match_file(path)


def seeded(path: str) -> bool:
    """Whether an update leaves this file alone when it is there."""
    return owned("seeded").match_file(path)


@cache
def owned(name: str) -> PathSpec[Any]:
    """What an ownership class matches."""
    text = (ROOT / "hooks" / "ownership.yml").read_text(encoding="utf-8")
    return PathSpec.from_lines("gitignore", yaml.safe_load(text)[name])


def added(old: bytes, new: bytes) -> Counter[bytes]:
    """Lines that `new` has and `old` has not."""
    return Counter(new.splitlines()) - Counter(old.splitlines())


def problem(path: str, base: Files, mine: Files, theirs: Files, now: Files) -> str | None:
    """What is wrong with a file after an update, if anything.

    Args:
        base: The project as the old release makes it.
        mine: The same with the team's edits.
        theirs: The project as the new release makes it.
        now: The team's project after the update.
    """
    old, kept, new, found = (version.get(path) for version in (base, mine, theirs, now))
    if once(path) or (seeded(path) and kept is not None):
        return None if found == kept else "an update has touched it"
    if kept == old:
        return None if found == new else "the release's version did not arrive"
    if new == old:
        return None if found == kept else "the team's version is lost"
    if found is None:
        return "it is gone"
    lost = added(old or b"", kept or b"") - Counter(found.splitlines())
    if lost:
        return f"the team's lines are lost: {list(lost)}"
    missing = added(old or b"", new or b"") - Counter(found.splitlines())
    return f"the release's lines did not arrive: {list(missing)}" if missing else None


def problems(base: Files, mine: Files, theirs: Files, now: Files) -> dict[str, str]:
    """What is wrong after an update, by file."""
    paths = sorted({*base, *mine, *theirs, *now})
    found = {path: problem(path, base, mine, theirs, now) for path in paths}
    return {path: text for path, text in found.items() if text}


def check(project: Path, base: Files, mine: Files, theirs: Files) -> None:
    """The invariants of an update: nothing lost, everything arrived, conflicts in one place."""
    edited_chassis = base[HOTFIXED] != mine[HOTFIXED]

    assert unmerged(project) == ({HOTFIXED} if edited_chassis else set())
    assert problems(base, mine, theirs, files(project)) == {}
    assert edited_chassis or imports(project) == ""


def updated_after(users: list[str], releases: Path, newer: Path, folder: Path) -> None:
    """Make a project, let these users edit it, update it, check."""
    project = start(releases, folder / "mine")
    theirs = files(render(newer, folder / "theirs"))
    base = files(project)
    for user in users:
        edit(user, project)
    commit(project)
    mine = files(project)
    assert mine != base

    update(project)

    check(project, base, mine, theirs)


@pytest.mark.parametrize("user", USERS)
def test_an_update_brings_every_change_and_loses_no_edit(
    user: str, releases: Path, newer: Path, tmp_path: Path
) -> None:
    updated_after([user], releases, newer, tmp_path)


def test_all_edits_at_once_survive_all_changes_at_once(
    releases: Path, newer: Path, tmp_path: Path
) -> None:
    # Formatted last, like everything else they wrote.
    users = sorted(USERS, key=lambda name: name == "reformat")

    updated_after(users, releases, newer, tmp_path)


@pytest.mark.parametrize("name", ["defaults", "strict", "minimal"])
def test_an_update_without_edits_equals_a_fresh_copy(
    name: str, releases: Path, newer: Path, tmp_path: Path
) -> None:
    project = start(releases, tmp_path / "updated", **preset(name))
    fresh = files(render(newer, tmp_path / "fresh", **preset(name)))

    update(project)

    assert unmerged(project) == set()
    # What belongs to the team stays as the first copy made it.
    assert {path for path in differing(files(project), fresh) if not seeded(path)} == set()


def differing(one: Files, other: Files) -> set[str]:
    """Paths whose content is not the same, without those that only a first copy writes."""
    return {p for p in {*one, *other} if one.get(p) != other.get(p) and not once(p)}


FLIPS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "ci": ({"ci": "github"}, {"ci": "gitlab"}),
    "no ci": ({"ci": "github"}, {"ci": "none"}),
    "providers": ({"providers": ["openai"]}, {"providers": ["anthropic", "google"]}),
    "order": ({"primary_provider": "openai"}, {"primary_provider": "anthropic"}),
    "no provider": ({}, {"providers": []}),
    "sources": ({}, {"data_sources": [], "hard_sources": []}),
    "hard": ({"hard_sources": []}, {"hard_sources": ["files"]}),
    "latency": ({"latency_p95_ms": 8000}, {"latency_p95_ms": 12000, "streamed": False}),
    "promise": ({"availability": "99.5"}, {"availability": "99.9"}),
    "degraded": ({}, {"degraded_mode": "template", "degraded_counts": False}),
    "name": ({}, {"project_name": "Other 2", "purpose": 'Answers "other" questions.'}),
}


@pytest.mark.parametrize("forth", [True, False], ids=["forth", "back"])
@pytest.mark.parametrize("flip", FLIPS)
def test_answering_again_equals_a_fresh_copy(
    flip: str, forth: bool, template: Path, releases: Path, tmp_path: Path
) -> None:
    before, after = FLIPS[flip] if forth else FLIPS[flip][::-1]
    project = start(releases, tmp_path / "project", **before)
    changed = {**{name: default(name) for name in before}, **after}
    fresh = render(template, tmp_path / "fresh", **changed)

    update(project, data=changed, vcs_ref=copier.VcsRef.CURRENT)

    assert unmerged(project) == set()
    assert differing(files(project), files(fresh)) == set()


def default(name: str) -> Any:
    """What the question is answered with when nobody answers it."""
    return {"primary_provider": "openai"}.get(name, questions()[name]["default"])


def test_answering_again_keeps_added_dependencies(releases: Path, tmp_path: Path) -> None:
    project = start(releases, tmp_path / "project", providers=["openai"])
    edit("add_dependency", project)
    commit(project)

    update(project, data={"providers": ["anthropic", "google"]}, vcs_ref=copier.VcsRef.CURRENT)

    assert unmerged(project) == set()
    package = (project / "pyproject.toml").read_text(encoding="utf-8")
    assert '"tenacity>=9.1.4"' in package
    assert '"chassis[anthropic,google]"' in package


def test_a_conflict_is_visible_and_keeps_both_sides(releases: Path, tmp_path: Path) -> None:
    project = start(releases, tmp_path / "project")
    edit("hotfix_chassis", project)
    commit(project)

    update(project)

    text = (project / HOTFIXED).read_text(encoding="utf-8")
    assert re.search(r"<<<<<<< .*MIN_USEFUL_MS = 500.*=======.*= 250.*>>>>>>>", text, re.DOTALL)
    assert unmerged(project) == {HOTFIXED}


@pytest.mark.parametrize(
    ("kept", "found", "text"),
    [
        (b"a\nb\nmine\n", b"a\nb\ntheirs\n", "team's lines"),
        (b"a\nb\nmine\n", b"a\nb\nmine\n", "release's lines"),
        (b"a\nb\nmine\n", None, "gone"),
        (b"a\nb\n", b"a\nb\n", "did not arrive"),
    ],
)
def test_a_lost_line_is_noticed(kept: bytes, found: bytes | None, text: str) -> None:
    now = {} if found is None else {"f": found}

    wrong = problems({"f": b"a\nb\n"}, {"f": kept}, {"f": b"a\nb\ntheirs\n"}, now)

    assert text in wrong["f"]


def test_every_user_is_described() -> None:
    assert len(USERS) == 10
    assert [name for name in USERS if not import_module(f"users.{name}").__doc__] == []


def test_cut_releases(release: Callable[..., Path]) -> None:
    repo = release("v1.0.0")
    release("v1.0.1", lambda r: (r / "hooks" / "README.md").write_text("x"))

    assert git(repo, "tag").split() == ["v1.0.0", "v1.0.1"]
