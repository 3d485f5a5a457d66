"""Turn the passage numbers in an answer into citations."""

from collections.abc import Sequence

from .ports import Citation, Passage
from .words import CITATION, sentences, words


def cited_numbers(text: str) -> list[int]:
    """The passage numbers that a text cites, each once, in order of appearance."""
    return list(dict.fromkeys(int(number) for number in CITATION.findall(text)))


def resolve(text: str, passages: Sequence[Passage]) -> tuple[tuple[Citation, ...], list[int]]:
    """The citations of a text, one per cited passage, and the numbers that no passage has."""
    numbers = cited_numbers(text)
    unknown = [number for number in numbers if not 1 <= number <= len(passages)]
    citations = tuple(
        cite(passages[number - 1], citing_text(text, number))
        for number in numbers
        if number not in unknown
    )
    return citations, unknown


def citing_text(text: str, number: int) -> str:
    """What the text says up to each place where it cites passage `number`."""
    before = text.split(f"[{number}]")[:-1]
    return " ".join(CITATION.split(part)[-1] for part in before)


def cite(passage: Passage, statement: str) -> Citation:
    """Cite the sentence of a passage that shares most words with a statement, verbatim."""
    wanted = words(statement)
    quote = max(
        sentences(passage.text),
        key=lambda sentence: len(words(sentence) & wanted),
        default=passage.text.strip(),
    )
    return Citation(passage.source, passage.document_id, passage.title, quote, passage.uri)
