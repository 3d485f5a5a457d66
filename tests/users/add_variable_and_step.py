"""Add an environment variable and a step to continuous integration."""

from pathlib import Path

from editing import append


def edit(project: Path) -> None:
    """Both at the end, where files invite it."""
    append(project / ".env.example", "CLAIMS_API_URL=https://claims.example.com\n")
    append(
        project / ".github" / "workflows" / "ci.yml",
        "      - run: uv run python -m compileall -q src\n",
    )
