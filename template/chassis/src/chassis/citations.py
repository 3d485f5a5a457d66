"""Turn the passage numbers in an answer into citations."""

from collections.abc import Iterator, Sequence

from .lines import Line, lines
from .ports import Citation, Passage
from .words import CITATION, words


def cited_numbers(text: str) -> list[int]:
    """The passage numbers that a text cites, each once, in order of appearance."""
    return list(dict.fromkeys(number for _, number in statements(text)))


def resolve(text: str, passages: Sequence[Passage]) -> tuple[tuple[Citation, ...], list[int]]:
    """The citations of a text, one per cited passage, and the numbers that no passage has.

    A passage is quoted for the first statement that cites it.
    """
    said: dict[int, str] = {}
    for statement, number in statements(text):
        said.setdefault(number, statement)
    known = [number for number in said if 1 <= number <= len(passages)]
    citations = tuple(cite(passages[number - 1], said[number]) for number in known)
    return citations, [number for number in said if number not in known]


def statements(text: str) -> Iterator[tuple[str, int]]:
    """Yield what was said and the number of the passage cited for it.

    Citations side by side, `[2][3]` or `[2, 3]`, are all for what was said before the first.
    """
    end, statement = 0, ""
    for found in CITATION.finditer(text):
        between = text[end : found.start()]
        if words(between):
            statement = between.strip()
        for number in found[1].split(","):
            yield statement, int(number)
        end = found.end()


def cite(passage: Passage, statement: str) -> Citation:
    """Cite the line of a passage that shares most words with a statement, verbatim."""
    wanted = words(statement)

    def fit(line: Line) -> tuple[int, int]:
        held = words(line.text)
        shared = len(held & wanted)
        return shared, shared and -len(held)  # of two that share as much, the one about less

    best = max(lines(passage), key=fit, default=None)
    quote = best.quote if best else passage.text.strip()
    return Citation(passage.source, passage.document_id, passage.title, quote, passage.uri)
