"""An answer without a model: the sentences and table rows that fit the question best, quoted.

Deterministic. It compares words, it does not understand them; so it looks hard at names and
numbers, where a near miss is a wrong answer: "model 2" is not "model 2S" or "model 20".
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from .lines import Line, lines
from .ports import Passage
from .prompts import NOT_FOUND
from .words import has_digit, names, pairs, stem, words

LINES = 3
CHARS_PER_TOKEN = 4

SHARES = (1.0, 0.9, 0.7, 0.25)
"""What a word of the question counts in the line, its columns, its heading, its passage.

These numbers were chosen on the sample handbook and its 60 questions.
"""
ENOUGH = 0.55
"""Share of the question's weight that the best line must reach."""
UNKNOWN = 0.5
"""What is left of the weight of a word that no passage has."""
CLOSE = 0.85
"""Share of the best line's score that a further one must reach."""
OTHER_NAME = 0.4
"""What is left of the score of a line about something with a similar name."""
WITH_NUMBER = 1.2
"""What a number is worth where one is asked for."""

ROW_OF_CODE = 1.2
"""What it is worth that a table row begins with a code in the question."""

QUANTITY = re.compile(
    r"\bhow (many|much|long|soon|often|far|fast|big|large|high|heavy|old|wide|deep)\b|\bwhen\b"
    r"|\b(price|cost|weigh|fee|number|date|value|temperature|weight|amount|rate|limit)s?\b",
    re.IGNORECASE,
)


def extract(question: str, passages: Sequence[Passage], max_tokens: int) -> str:
    """The best lines with their passages' numbers, or `NOT_FOUND`."""
    asked = Question(question, passages)
    if asked.is_about_something_else():
        return NOT_FOUND
    ranked = sorted(asked.scored(), key=lambda found: -found[0])
    if not ranked or ranked[0][0] < ENOUGH * sum(asked.weights.values()):
        return NOT_FOUND
    close: dict[str, str] = {}  # what several passages say is cited from the first of them
    for score, text, number in ranked:
        if score >= CLOSE * ranked[0][0]:
            close.setdefault(text, cited(text, number))
    return " ".join(fitting(list(close.values())[:LINES], max_tokens * CHARS_PER_TOKEN))


def fitting(texts: Sequence[str], room: int) -> Iterator[str]:
    """As many of these as there is room for, in characters; the first in any case."""
    for place, text in enumerate(texts):
        room -= len(text)
        if place and room < 0:
            return
        yield text


def cited(text: str, number: int) -> str:
    """A line with its passage's number; one without an end gets a full stop."""
    return f"{text} [{number}]" if text[-1] in ".!?:" else f"{text} [{number}]."


class Question:
    """What is asked, weighed by how rare it is among the passages."""

    def __init__(self, text: str, passages: Sequence[Passage]) -> None:
        self._text = text
        self._passages = passages
        self._wants_number = bool(QUANTITY.search(text))
        self._names = names(after_first_word(text))
        seen: Counter[str] = Counter()
        for passage in passages:
            seen.update(words(passage.heading + "\n" + passage.text))
        self.weights = {
            word: math.log(1 + (len(passages) + 1) / (seen[word] + 0.5)) for word in words(text)
        }
        # The documents may have another word for a thing or an act, but not for a name.
        named = {stem(part) for name in self._names for part in name}
        for word in self.weights.keys() - seen.keys() - named:
            self.weights[word] *= UNKNOWN
        self._subject = self.weights.keys() - named

    def is_about_something_else(self) -> bool:
        """Whether the question has a code or a model of which no passage says anything."""
        said = " ".join(f"{passage.heading}\n{passage.text}" for passage in self._passages)
        known, side_by_side = words(said), pairs(said)
        return any(
            side_by_side.isdisjoint(pairwise(name))
            if len(name) > 1
            else has_digit(name[0]) and name[0] not in known
            for name in self._names
        )

    def scored(self) -> Iterator[tuple[float, str, int]]:
        """Every line with a word of the question that is no name: score, text, passage's number.

        A name alone is shared by whatever is said of the thing.
        """
        wanted = self._subject or self.weights.keys()
        for number, passage in enumerate(self._passages, start=1):
            above, around = words(passage.heading), words(passage.text)
            for line in lines(passage):
                held, columns = words(line.quote), words(line.columns)
                places = (held, columns, above, around)
                if line.text and not wanted.isdisjoint(held | columns | above):
                    factor = self._factor(line, passage.heading)
                    yield factor * self._weigh(places), line.text, number

    def _weigh(self, places: Sequence[frozenset[str]]) -> float:
        """The weight of the question's words, each by the nearest place that has it."""
        return sum(
            weight
            * next((share for words, share in zip(places, SHARES, strict=True) if word in words), 0)
            for word, weight in self.weights.items()
        )

    def _factor(self, line: Line, heading: str) -> float:
        factor = OTHER_NAME if self._is_about_another(line.quote, heading) else 1.0
        if self._wants_number and self._answers(line.text):
            factor *= WITH_NUMBER
        first_cell, dash, _ = line.text.partition(" - ")
        if dash and has_digit(first_cell) and (first_cell.lower(),) in self._names:
            factor *= ROW_OF_CODE
        return factor

    def _is_about_another(self, line: str, heading: str) -> bool:
        """Whether the line, or else its heading, has a name that only begins like the asked one."""
        for asked in self._names:
            for said in (line, heading) if len(asked) > 1 else ():
                alike = {pair for pair in name_pairs(said) if pair[0] == asked[-2]}
                if asked[-2:] in alike:
                    break
                if alike:
                    return True
        return False

    def _answers(self, line: str) -> bool:
        """Whether a line has a number that is not in the question."""
        asked = set(re.findall(r"\d+", self._text))
        return any(number not in asked for number in re.findall(r"\d+", line))


def name_pairs(text: str) -> set[tuple[str, str]]:
    """Neighbours in the names of a text, in lower case."""
    return {pair for name in names(text) for pair in pairwise(name)}


def after_first_word(text: str) -> str:
    """A question without its first word, which has a capital for no reason, unless it is a name."""
    first, _, rest = text.strip().partition(" ")
    return text if rest[:1].isdigit() or has_digit(first) else rest
