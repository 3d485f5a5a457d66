"""Cut a document into chunks that are verbatim parts of it, with stable ids."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from ..ports import Chunk

MAX_CHARS = 1_200
"""About 300 tokens: several fit into a prompt, and one is rarely about two things."""

BLOCK = re.compile(r"\S.*?(?=\n[ \t]*\n|\Z)", re.DOTALL)
HEADING = re.compile(r"(#{1,6})[ \t]+(.+?)[ \t]*#*(?:\n|\Z)")
BREAK = re.compile(r"\n|(?<=[.!?])\s+")


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a document under one heading."""

    start: int
    end: int
    heading: str


def chunk(document_id: str, title: str, text: str) -> list[Chunk]:
    """Cut `text` (Markdown) at headings, then at paragraphs, then at sentences.

    A chunk never spans two headings. Its id is a hash of the document's id and its text, so
    that text which did not change keeps its id, and its vector, over readings.
    """
    seen: Counter[str] = Counter()
    made = []
    for span in merge(spans(title, text)):
        piece = text[span.start : span.end]
        seen[piece] += 1
        key = f"{document_id}\0{piece}\0{seen[piece]}"
        digest = hashlib.sha256(key.encode()).hexdigest()[:24]
        made.append(Chunk(digest, span.start, span.end, span.heading, piece))
    return made


def spans(title: str, text: str) -> Iterator[Span]:
    """Yield the document's paragraphs, lists and tables, none longer than `MAX_CHARS`."""
    above: dict[int, str] = {}
    for block in BLOCK.finditer(text):
        start = block.start()
        while heading := HEADING.match(text, start, block.end()):
            level = len(heading[1])
            above = {upper: name for upper, name in above.items() if upper < level}
            above[level] = heading[2].strip("*_ ")
            start = heading.end()
        if text[start : block.end()].strip():
            names = [title, *(name for name in above.values() if name != title)]
            yield from split(text, Span(start, block.end(), " > ".join(names)))


def split(text: str, span: Span) -> Iterator[Span]:
    """Cut a long block at line and sentence ends; at `MAX_CHARS` where there is none."""
    start = span.start
    while span.end - start > MAX_CHARS:
        ends = [found.end() for found in BREAK.finditer(text, start, start + MAX_CHARS)]
        end = next((end for end in reversed(ends) if end > start), start + MAX_CHARS)
        yield Span(start, end, span.heading)
        start = end
    if text[start : span.end].strip():
        yield Span(start, span.end, span.heading)


def merge(pieces: Iterator[Span]) -> Iterator[Span]:
    """Join neighbours under one heading while they fit into `MAX_CHARS`."""
    current: Span | None = None
    for piece in pieces:
        if current and current.heading == piece.heading and piece.end - current.start <= MAX_CHARS:
            current = Span(current.start, piece.end, current.heading)
            continue
        if current:
            yield current
        current = piece
    if current:
        yield current
