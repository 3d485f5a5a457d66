"""Edits to text files that fail loudly when the text to edit is no longer there."""

from pathlib import Path


def replace(path: Path, old: str, new: str) -> None:
    """Put `new` in the place of `old`, which must occur exactly once."""
    text = path.read_text(encoding="utf-8")
    if text.count(old) != 1:
        raise ValueError(f"{path.name} has {old!r} {text.count(old)} times, not once")
    path.write_text(text.replace(old, new), encoding="utf-8")


def append(path: Path, text: str) -> None:
    """Add `text` at the end."""
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")
