"""Markdown as it is stored: one line for each paragraph, list item and table row."""

import re

from ..store.database import storable

FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(\S.*?)[ \t]*#*[ \t]*$")
UNDERLINE = re.compile(r" {0,3}(=+|-{2,})[ \t]*$")
BEGINS_BLOCK = re.compile(r"\s*(#{1,6}\s|[-*+]\s|\d{1,3}[.)]\s|\||>|`{3}|~{3}|([-*_=]\s*){3,}$)")
HARD_BREAK = re.compile(r"(  |\\)$")
FULL_CHARS = 50
"""A shorter line was ended by its writer, as in an address; a longer one by the page's width."""


def tidy(text: str) -> str:
    """Join lines that were only wrapped, so that a sentence is never cut in two.

    Code between fences stays as it is. What the store refuses is taken out.
    """
    lines: list[str] = []
    fence, last = "", ""
    for line in storable(text).removeprefix("\ufeff").splitlines():
        if lines and not fence and is_wrapped(lines[-1], last, line):
            lines[-1] += " " + line.strip()
        elif lines and not fence and (level := underlined(lines[-1], line)):
            lines[-1] = f"{'#' * level} {lines[-1].strip()}"
        else:
            lines.append(line.rstrip())
            fence = fence_after(fence, line)
        last = line
    return "\n".join(lines).strip() + "\n"


def is_wrapped(block: str, last: str, line: str) -> bool:
    """Whether `line` goes on with the block whose last line as written is `last`."""
    if not last.strip() or not line.strip() or HARD_BREAK.search(last):
        return False
    if HEADING.match(block) or block.lstrip().startswith("|") or FENCE.match(block):
        return False
    if BEGINS_BLOCK.match(line) or UNDERLINE.match(line):
        return False
    return len(last) >= FULL_CHARS or line.lstrip()[0].islower()


def underlined(block: str, line: str) -> int:
    """The level of a heading that is written as a line over `===` or `---`; 0 if it is none."""
    found = UNDERLINE.match(line)
    if not found or not block.strip() or BEGINS_BLOCK.match(block):
        return 0
    return 1 if found[1].startswith("=") else 2


def fence_after(fence: str, line: str) -> str:
    """The fence that is open after `line`, empty when none is."""
    found = FENCE.match(line)
    if not found:
        return fence
    if not fence:
        return found[1]
    return "" if found[1].startswith(fence) else fence
