"""Make the README one's own: what it is, who is on call."""

from pathlib import Path

from editing import append, replace

ON_CALL = """
## On call

Ask the claims platform team; the runbook is in the wiki.
"""


def edit(project: Path) -> None:
    """A sentence in front, a section at the end."""
    readme = project / "README.md"
    replace(
        readme, "## Three commands\n", "Made by the claims platform team.\n\n## Three commands\n"
    )
    append(readme, ON_CALL)
