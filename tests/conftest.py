"""Fixtures over `harness`: the exported template, projects, throw-away releases."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness import commit, export, fast_copier, git, render


@pytest.fixture(scope="session", autouse=True)
def _fast() -> Iterator[None]:
    with fast_copier():
        yield


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template as it lies here, without history."""
    return export(tmp_path_factory.mktemp("template"))


@pytest.fixture
def project(template: Path, tmp_path: Path) -> Callable[..., Path]:
    """Make a project: `project(ci="none")`."""

    def make(name: str = "project", **answers: Any) -> Path:
        return render(template, tmp_path / name, **answers)

    return make


@pytest.fixture
def release(template: Path, tmp_path: Path) -> Callable[..., Path]:
    """Cut a release of the template in a throw-away repository: `release("v1.0.0", change)`."""
    repo = shutil.copytree(template, tmp_path / "releases")

    def tag(version: str, change: Callable[[Path], None] | None = None) -> Path:
        if change:
            change(repo)
        commit(repo, version)
        git(repo, "tag", version)
        return repo

    return tag
