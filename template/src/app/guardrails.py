"""What may go in, and what may come out."""

import unicodedata
from collections.abc import Sequence

from chassis.citations import resolve
from chassis.errors import InvalidInput, OutputRejected
from chassis.ports import Answer, Draft, Passage
from chassis.prompts import NOT_FOUND

MAX_QUESTION_CHARS = 4_000


def check_question(question: str) -> str:
    """Return the question without control and invisible characters.

    Raises:
        InvalidInput: It is empty or too long.
    """
    visible = "".join(
        character
        for character in question
        if character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cf", "Co", "Cn")
    ).strip()
    if not visible:
        raise InvalidInput("the question is empty")
    if len(visible) > MAX_QUESTION_CHARS:
        raise InvalidInput(
            f"the question has {len(visible):,} characters; at most {MAX_QUESTION_CHARS:,} are read"
        )
    return visible


def check_answer(draft: Draft, passages: Sequence[Passage]) -> Answer:
    """Turn a model's text into an answer with citations.

    Raises:
        OutputRejected: It cites nothing, or a passage that it was not given, or was stopped by
            the vendor's filter.
    """
    if draft.finish_reason == "content_filter":
        raise OutputRejected(f"{draft.variant} was stopped by its vendor's filter")
    citations, unknown = resolve(draft.text, passages)
    if not citations and NOT_FOUND.lower() in draft.text.lower():
        return Answer("full", NOT_FOUND, reason="not_found", draft=draft)
    if unknown:
        raise OutputRejected(f"{draft.variant} cites passages {unknown} of {len(passages)}")
    if not citations:
        raise OutputRejected(f"{draft.variant} cites nothing")
    if draft.finish_reason == "length":
        return Answer("degraded", draft.text.strip(), citations, reason="cut_short", draft=draft)
    return Answer("full", draft.text.strip(), citations, draft=draft)
