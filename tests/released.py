"""The paths of all files that were ever released; `python tests/released.py` adds today's.

A path is an interface: without a migration, an update deletes a file whose path is gone, with the
edits that a team made to it, and reports no conflict. So the list only ever grows. Record it as the
last step before a release.
"""

import tempfile
from pathlib import Path

from harness import PRESETS, ROOT, export, fast_copier, preset, render, snapshot

LIST = ROOT / "tests" / "released_paths.txt"
MIGRATIONS = ROOT / "hooks" / "migrations"


def released() -> set[str]:
    """What is on the list."""
    return set(LIST.read_text(encoding="utf-8").splitlines())


def rendered(template: Path, folder: Path) -> set[str]:
    """Every path that some preset's project has."""
    projects = [render(template, folder / name, **preset(name)) for name in PRESETS]
    return {path for project in projects for path in snapshot(project)}


def vanished(before: set[str], now: set[str], migrations: str) -> set[str]:
    """Paths that are gone and that no migration speaks of.

    Args:
        migrations: The source of all of them; a path counts when it stands there in quotes.
    """
    return {path for path in before - now if f'"{path}"' not in migrations}


def migrations() -> str:
    """The source of all migrations."""
    return "\n".join(path.read_text(encoding="utf-8") for path in MIGRATIONS.glob("*.py"))


def record() -> None:
    """Add today's paths to the list."""
    with tempfile.TemporaryDirectory() as name, fast_copier():
        folder = Path(name)
        paths = rendered(export(folder / "template"), folder)
    known = released() if LIST.exists() else set()
    LIST.write_text("\n".join(sorted(known | paths)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    record()
