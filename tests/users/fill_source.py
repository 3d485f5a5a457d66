"""Fill in the source: only some files, and the prompt that speaks of them."""

from pathlib import Path

from editing import append, replace


def edit(project: Path) -> None:
    """Edit a source and a prompt, which are never touched by an update."""
    replace(project / "src" / "app" / "sources" / "files.py", '("**/*",)', '("**/*.md",)')
    append(
        project / "src" / "app" / "prompts" / "answer.md", "- Answer in the reader's language.\n"
    )
