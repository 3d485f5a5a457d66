"""Words and sentences of English text, well enough to compare a statement with its source."""

import re
from collections.abc import Iterator
from itertools import pairwise

WORD = re.compile(r"[^\W_]+(?:[-.][^\W_]+)*")
FOOTNOTE = re.compile(r"\[\^?[\d, ]+\]")
CITATION = re.compile(r"\[(\d{1,3}(?: ?, ?\d{1,3})*)\]")
SENTENCE_END = re.compile(r"""[.!?]["')\]\u201d\u2019]*(?=\s+[^a-z\s])""")
UNFINISHED = re.compile(
    r"^\s*\d{1,3}$"
    r"|(?:^|(?<!\d)[\s(])(?:[A-Z]|(?i:e\.g|i\.e|etc|vs|approx|ca|nos?|fig|mrs?|dr))$"
)
"""What a full stop follows without ending the sentence: list numbers, initials, abbreviations."""
STOP_WORDS = frozenset(
    "a about also am an and any are as at be been being but by can could did do does for from"
    " get had has have he her his how i if in is it its just long many may me much must my no"
    " not of often on one or our please shall she should so some soon tell than that the their"
    " them then there these they this to was we were what when where which who why will with"
    " within would you your".split()
)
DATES = frozenset(
    "january february march april may june july august september october november december"
    " monday tuesday wednesday thursday friday saturday sunday".split()
)
ENDINGS = ("ing", "ed", "es", "s")


def words(text: str) -> frozenset[str]:
    """The words that carry meaning, in lower case, without their commonest endings.

    A compound counts as itself and as its parts: "warm-up time" is found by "warm up", too.
    """
    found = {match.lower() for match in WORD.findall(text)}
    parts = {part for word in found if word.replace("-", "").isalpha() for part in word.split("-")}
    return frozenset(stem(word) for word in found | parts if word not in STOP_WORDS)


def stem(word: str) -> str:
    """Cut the ending in which a question and a document differ most often."""
    for ending in ENDINGS:
        if len(word) > len(ending) + 3 and word.endswith(ending) and word.isalpha():
            return word.removesuffix(ending)
    return word


def sentences(text: str) -> Iterator[str]:
    """The sentences, list items and table rows of `text`, verbatim."""
    for line in text.splitlines():
        start = 0
        for end in () if line.lstrip().startswith("|") else SENTENCE_END.finditer(line):
            if not UNFINISHED.search(line[start : end.start()]):
                yield line[start : end.end()].strip()
                start = end.end()
        if rest := line[start:].strip():
            yield rest


def pairs(text: str) -> set[tuple[str, str]]:
    """The words that stand side by side in a text, in lower case."""
    return {
        (one[0].lower(), two[0].lower())
        for one, two in pairwise(WORD.finditer(text))
        if text[one.end() : two.start()] == " "
    }


def names(text: str) -> list[tuple[str, ...]]:
    """The names and codes in a text, in lower case: runs of words with a capital or a digit.

    A number makes no name alone, and dates are none.
    """
    found: list[tuple[str, ...]] = []
    run: list[str] = []
    end = 0
    for word in WORD.finditer(text):
        if text[end : word.start()] != " ":
            found.append(tuple(run))
            run = []
        if is_part_of_name(word[0], begun=bool(run)):
            run.append(word[0].lower())
        else:
            found.append(tuple(run))
            run = []
        end = word.end()
    return [name for name in (*found, tuple(run)) if name]


def is_part_of_name(word: str, *, begun: bool) -> bool:
    """Whether a word can stand in a name; a plain number only if one has begun before it."""
    if word.lower() in STOP_WORDS or word.lower() in DATES:
        return False
    return word[0].isupper() or (has_digit(word) and (begun or not word.replace(".", "").isdigit()))


def has_digit(word: str) -> bool:
    """Whether there is a digit in a word, as in a code or model number."""
    return any(character.isdigit() for character in word)


def without_numbers(text: str) -> str:
    """A text without footnotes like `[7]`, which would be taken for citations of an answer."""
    while (less := FOOTNOTE.sub("", text)) != text:
        text = less
    return text
