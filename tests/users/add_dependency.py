"""Add two dependencies, with the very text that `uv add` writes."""

from pathlib import Path

from editing import replace


def edit(project: Path) -> None:
    """`uv add tenacity` and `uv add --dev respx`."""
    package = project / "pyproject.toml"
    replace(package, '  "chassis",\n', '  "chassis",\n  "tenacity>=9.1.4",\n')
    replace(package, '  "chassis[dev]",\n', '  "chassis[dev]",\n  "respx>=0.23.1",\n')
