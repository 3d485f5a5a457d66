"""The sentences and table rows of a passage, as they stand and as one reads them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .ports import Passage
from .words import sentences, without_numbers

SEPARATOR = re.compile(r"\s*\|?[\s:|-]*-[\s:|-]*$")
MARKS = (
    (re.compile(r"<!--.*?-->|</?[a-zA-Z][^>]*>"), ""),
    (re.compile(r"!\[[^\]]*\]\([^)]*\)"), ""),
    (re.compile(r"\[([^\]]+)\]\([^)]*\)"), r"\1"),
    (re.compile(r"^\s*(?:(?:[-*+>]|#{1,6}|\d{1,3}[.)])\s+|\[[ xX]\]\s+)+"), ""),
    (re.compile(r"(\*{1,3}|_{1,3}|~~|`+)(?=\S)(.+?)(?<=\S)\1(?!\w)"), r"\2"),
    (re.compile(r"\\([^\w\s])"), r"\1"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence or a table row.

    Attributes:
        quote: As it stands in the passage.
        text: Without Markdown, a row's cells with the names of their columns.
        columns: The names of the columns.
    """

    quote: str
    text: str
    columns: str = ""


def lines(passage: Passage) -> Iterator[Line]:
    """The sentences and table rows of a passage."""
    _, _, begun = passage.heading.partition("\n")  # the first row of a table that was cut
    rows = [*begun.splitlines(), *passage.text.splitlines()]
    columns: list[str] = []
    for row, below in zip(rows, [*rows[1:], ""], strict=True):
        if not row.lstrip().startswith("|"):
            columns = []
            for sentence in sentences(row):
                yield Line(sentence, plain(sentence))
        elif SEPARATOR.match(below):
            columns = cells(row)
        elif not SEPARATOR.match(row):
            yield Line(row.strip(), labelled(cells(row), columns), " ".join(columns))


def cells(row: str) -> list[str]:
    """The cells of a table row, without Markdown."""
    return [plain(cell) for cell in re.split(r"(?<!\\)\|", row.strip().strip("|"))]


def labelled(row: Sequence[str], columns: Sequence[str]) -> str:
    """A table row as one reads it aloud."""
    if len(row) == len(columns) > 2:
        named = [f"{column}: {cell}" for column, cell in zip(columns, row, strict=True) if cell]
        return f"{row[0]} - {'; '.join(named[1:])}" if row[0] else "; ".join(named)
    return (": " if len(row) == 2 else ", ").join(cell for cell in row if cell)


def plain(markdown: str) -> str:
    """A sentence, item or cell without its Markdown marks."""
    for mark, instead in MARKS:
        markdown = mark.sub(instead, markdown)
    return without_numbers(markdown).strip()
