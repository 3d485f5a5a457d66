"""An answerer without a model: it quotes the sentences that fit the question best.

Deterministic, no network. What a service without keys runs on, and what `sources_only` says
when every model has failed. It finds words, it does not understand them.
"""

import math
import re
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass

from ..ports import Completion, Delta, Passage, Prompt, Provider
from ..prompts import NOT_FOUND
from ..secrets import Secrets
from ..words import sentences, words

MODEL = "extractive"
SENTENCES = 3
ENOUGH = 0.5
"""Share of the question's weight that the best sentence and its heading must hold."""

MARKUP = re.compile(r"[*_`#>|]+|^\s*[-+]\s+|^\s*\d+[.)]\s+")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence or table row; `number` is that of its passage, from 1."""

    number: int
    text: str
    words: frozenset[str]
    score: float


class Offline:
    """A `Provider` that needs nothing."""

    async def stream(
        self, model: str, prompt: Prompt, *, max_tokens: int, timeout_s: float
    ) -> AsyncGenerator[Delta | Completion]:
        """Quote up to three sentences, each with its passage's number, word by word."""
        text = extract(prompt.question, prompt.passages, max_tokens)
        for piece in re.findall(r"\S+\s*", text):
            yield Delta(piece)
        yield Completion(text, model, "stop")

    async def aclose(self) -> None:
        """Nothing to close."""


def connect(secrets: Secrets) -> Provider:
    """Build the provider."""
    return Offline()


def extract(question: str, passages: Sequence[Passage], max_tokens: int) -> str:
    """The best sentences with their passages' numbers, or `NOT_FOUND`."""
    wanted = words(question)
    weights = weigh(wanted, passages)
    total = sum(weights.values())
    ranked = sorted(scored(passages, weights), key=lambda s: (-s.score, s.number))
    if not ranked or not total or ranked[0].score < ENOUGH * total:
        return NOT_FOUND
    chosen: list[str] = []
    room = max_tokens * 4  # characters; about four to a token
    for sentence in ranked[:SENTENCES]:
        cited = f"{sentence.text} [{sentence.number}]"
        if sentence.score < ranked[0].score * 0.7 or len(cited) > room and chosen:
            break
        chosen.append(cited)
        room -= len(cited)
    return " ".join(dict.fromkeys(chosen))


def weigh(wanted: frozenset[str], passages: Sequence[Passage]) -> dict[str, float]:
    """How much each word of the question says: rare among the passages is more."""
    seen: Counter[str] = Counter()
    for passage in passages:
        seen.update(words(passage.heading + "\n" + passage.text) & wanted)
    return {word: math.log(1 + (len(passages) + 1) / (seen[word] + 0.5)) for word in wanted}


def scored(passages: Sequence[Passage], weights: dict[str, float]) -> Iterator[Sentence]:
    """Every sentence with the weight of the question's words in it; its heading counts half."""
    for number, passage in enumerate(passages, start=1):
        above = words(passage.heading)
        for sentence in sentences(passage.text):
            held = words(sentence)
            text = plain(sentence)
            if len(held) < 2 or not text:
                continue
            score = sum(
                weight * (1.0 if word in held else 0.9 if word in above else 0.0)
                for word, weight in weights.items()
            )
            in_sentence = sum(weights[word] for word in held & weights.keys())
            if in_sentence:
                yield Sentence(number, text, held, score + 0.1 * in_sentence)


def plain(markdown: str) -> str:
    """A line without its Markdown marks; table cells are kept apart by commas."""
    cells = [cell.strip() for cell in markdown.strip().strip("|").split("|")]
    if all(set(cell) <= set("-: ") for cell in cells):
        return ""
    return MARKUP.sub("", ", ".join(cell for cell in cells if cell)).strip()
