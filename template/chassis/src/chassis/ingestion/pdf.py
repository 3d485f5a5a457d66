"""The lines of a PDF's pages as Markdown: a PDF knows neither paragraphs nor headings."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

BULLET = re.compile(r"[•·▪◦‣\u2013*-][ \t]+")
NUMBERED = re.compile(r"\d{1,3}[.)][ \t]")
HEADING_CHARS = 70
MIN_FULL_CHARS = 50
FULL_SHARE = 0.8
EDGE = 2
"""Lines at the top and the bottom of a page that may be its header or footer."""


def to_markdown(pages: Sequence[str]) -> str:
    """Leave out what every page repeats, join wrapped lines, mark headings and list items.

    A line is taken for a heading when it is short, begins like a sentence but does not end like
    one, and what goes before it is complete. It is taken for wrapped when it is about as long as
    lines get in this document.
    """
    lines = [line.strip() for page in without_edges(pages) for line in page]
    full = FULL_SHARE * max(map(len, lines), default=0)
    made: list[str] = []
    last = ""
    for line, after in pairwise([*lines, ""]):
        if is_heading(last, line, after):
            made.append(f"## {line}")
        elif BULLET.match(line):
            made.append(BULLET.sub("- ", line, count=1))
        elif made and is_wrapped(last, line, full) and not made[-1].startswith("#"):
            made[-1] += f" {line}"
        else:
            made.append(line)
        last = line
    return "\n\n".join(made)


def is_wrapped(last: str, line: str, full: float) -> bool:
    """Whether `line` goes on with what `last` began; a full line has at least `full` characters."""
    if NUMBERED.match(line) or len(last) < MIN_FULL_CHARS:
        return line[0].islower()
    return line[0].islower() or len(last) >= full


def without_edges(pages: Sequence[str]) -> Iterator[list[str]]:
    """Each page's lines without those of its first and last that other pages have too.

    Numbers are not compared: page numbers differ.
    """
    split = [[line for line in page.splitlines() if line.strip()] for page in pages]
    seen = Counter(key for lines in split for key in {shape(line) for line in edges(lines)})
    for lines in split:
        repeated = {line for line in edges(lines) if seen[shape(line)] > 1}
        yield [line for line in lines if line not in repeated]


def edges(lines: list[str]) -> list[str]:
    """The lines that may be a header or footer."""
    return lines[:EDGE] + lines[-EDGE:]


def shape(line: str) -> str:
    """A line with its numbers blotted out."""
    return re.sub(r"\d+", "#", line.strip())


def is_heading(before: str, line: str, after: str) -> bool:
    """Whether `line` looks like a heading between these two."""
    if len(line) > HEADING_CHARS or line[-1] in ".,;:!?" or not line[0].isupper():
        return False
    if not after or after[0].islower():
        return False
    listed = BULLET.match(before) or NUMBERED.match(before)
    return not before or before[-1] in ".:!?" or bool(listed and len(before) <= HEADING_CHARS)
