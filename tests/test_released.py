"""No path that projects have is taken from them."""

from pathlib import Path

from released import migrations, released, rendered, vanished


def test_no_released_path_is_gone_without_a_migration(template: Path, tmp_path: Path) -> None:
    assert vanished(released(), rendered(template, tmp_path), migrations()) == set()


def test_a_path_that_is_gone_is_noticed(template: Path, tmp_path: Path) -> None:
    next(template.glob("template/ruff.toml")).rename(tmp_path / "ruff.toml")
    try:
        now = rendered(template, tmp_path)
    finally:
        (tmp_path / "ruff.toml").rename(template / "template" / "ruff.toml")

    assert vanished(released(), now, migrations()) == {"ruff.toml"}


def test_a_migration_makes_up_for_it() -> None:
    source = 'git("mv", "src/app/old.py", "src/app/new.py")'

    assert vanished({"src/app/old.py"}, {"src/app/new.py"}, source) == set()
