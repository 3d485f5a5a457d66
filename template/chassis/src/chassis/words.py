"""Words and sentences of English text, well enough to compare a statement with its source."""

import re
from collections.abc import Iterator

WORD = re.compile(r"[^\W_]+(?:[-.][^\W_]+)*")
SENTENCE = re.compile(r"[^\n]+?(?:[.!?](?=\s|$)|(?=\n|$))")
CITATION = re.compile(r"\[(\d{1,3})\]")
STOP_WORDS = frozenset(
    "a an and any are as at be but by can could do does for from get had has have how i if in is"
    " it its long many may me much must my no not of on one or our shall should so than that the"
    " their them then there these they this to was we were what when where which who why will"
    " with within would you your".split()
)
ENDINGS = ("ing", "ed", "es", "s")


def words(text: str) -> frozenset[str]:
    """The words that carry meaning, in lower case, without their commonest endings."""
    found = (match[0].lower() for match in WORD.finditer(text))
    return frozenset(stem(word) for word in found if word not in STOP_WORDS)


def stem(word: str) -> str:
    """Cut the ending in which a question and a document differ most often."""
    for ending in ENDINGS:
        if len(word) > len(ending) + 3 and word.endswith(ending) and word.isalpha():
            return word.removesuffix(ending)
    return word


def sentences(text: str) -> Iterator[str]:
    """The sentences, list items and table rows of `text`, verbatim."""
    for found in SENTENCE.finditer(text):
        if sentence := found[0].strip():
            yield sentence
