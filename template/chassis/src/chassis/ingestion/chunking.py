"""Cut a document into chunks that are verbatim parts of it, with stable ids."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..ports import Chunk
from .markdown import HEADING, fence_after

MAX_CHARS = 1_200
"""About 300 tokens: several fit into a prompt, and one is rarely about two things."""

MAX_HEADING_CHARS = 300

# Where to cut a long block, best first; each match ends where the next piece begins.
BREAKS = (re.compile(r"\n"), re.compile(r"(?<=[.!?])\s+"), re.compile(r"\s+"))
TABLE = re.compile(r"\|.*\n\|[ \t:|-]+\n")


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a document. `section` counts the headings before it."""

    start: int
    end: int
    heading: str
    section: int


def chunk(document_id: str, title: str, text: str) -> list[Chunk]:
    """Cut `text` (Markdown) at headings, then at paragraphs, then at lines and sentences.

    A chunk never spans two headings. Its id is a hash of the document's id, its heading and its
    text, so that what did not change keeps its id, and its vector, over readings.
    """
    seen: Counter[tuple[str, str]] = Counter()
    made = []
    for span in merge(pieces(title, text)):
        piece = text[span.start : span.end]
        seen[span.heading, piece] += 1
        key = f"{document_id}\0{span.heading}\0{piece}\0{seen[span.heading, piece]}"
        digest = hashlib.sha256(key.encode()).hexdigest()[:24]
        made.append(Chunk(digest, span.start, span.end, span.heading, piece))
    return made


def pieces(title: str, text: str) -> Iterator[Span]:
    """Yield the document's blocks in order, none longer than `MAX_CHARS`."""
    for block in blocks(title, text):
        yield from split(text, block)


def blocks(title: str, text: str) -> Iterator[Span]:
    """Yield paragraphs, lists, tables and code, each under the headings above it.

    A heading with nothing under it is a block itself.
    """
    above: dict[int, str] = {}
    bare: Span | None = None
    section, at, start, end, fence = 0, 0, 0, 0, ""
    for line in text.splitlines(keepends=True):
        heading = None if fence else HEADING.match(line.rstrip("\r\n"))
        if end > start and (heading or not (line.strip() or fence)):
            yield Span(start, end, path_of(title, above), section)
            start = end
        if heading:
            level = len(heading[1])
            if bare and level <= max(above):
                yield bare
            above = {upper: name for upper, name in above.items() if upper < level}
            above[level] = heading[2].strip("*_ ")
            section += 1
            bare = Span(at, at + len(line), path_of(title, above), section)
        elif line.strip() or fence:
            start, end, bare = (start if end > start else at), at + len(line), None
        fence = fence_after(fence, line)
        at += len(line)
        if end <= start:
            start = end = at
    if end > start:
        yield Span(start, end, path_of(title, above), section)
    if bare:
        yield bare


def path_of(title: str, above: dict[int, str]) -> str:
    """The document's title and the headings above a place, outermost first."""
    names = [title, *(name for name in above.values() if name != title)]
    return " > ".join(names)[:MAX_HEADING_CHARS]


def split(text: str, block: Span) -> Iterator[Span]:
    """Cut a long block; the later pieces of a table have its first row in their heading."""
    table = TABLE.match(text, block.start, block.end)
    names = f"\n{table[0].strip()}" if table and len(table[0]) <= MAX_HEADING_CHARS else ""
    piece = block
    while block.end - piece.start > MAX_CHARS:
        end = cut(text, piece.start)
        yield replace(piece, end=end)
        piece = replace(block, start=end, heading=block.heading + names)
    if text[piece.start : block.end].strip():
        yield piece


def cut(text: str, start: int) -> int:
    """The best place to end a piece of at most `MAX_CHARS` that begins at `start`."""
    limit = start + MAX_CHARS
    for pattern in BREAKS:
        ends = [found.end() for found in pattern.finditer(text, start, limit)]
        if ends and ends[-1] > start + MAX_CHARS // 4:
            return ends[-1]
    return limit


def merge(spans: Iterator[Span]) -> Iterator[Span]:
    """Join neighbours under one heading while they fit into `MAX_CHARS`."""
    current: Span | None = None
    for span in spans:
        if current and follows(current, span) and span.end - current.start <= MAX_CHARS:
            current = replace(current, end=span.end)
            continue
        if current:
            yield current
        current = span
    if current:
        yield current


def follows(current: Span, span: Span) -> bool:
    """Whether two spans are in the same section."""
    return (current.section, current.heading) == (span.section, span.heading)
