"""The answer when no model's answer can be given: what the team chose, without any model."""

from collections.abc import Sequence

from .citations import resolve
from .errors import DeadlineExceeded, NoModelLeft, OutputRejected, ServiceError, StoreError
from .extraction import extract
from .ports import Answer, Passage
from .prompts import NOT_FOUND, Prompts
from .settings import Availability

REASONS: dict[type[ServiceError], str] = {
    NoModelLeft: "model_unavailable",
    DeadlineExceeded: "deadline",
    OutputRejected: "answer_rejected",
    StoreError: "store_unavailable",
}
SOURCES_ONLY = "No full answer can be given right now. What the documents say:"
SOURCES_ONLY_NOTHING = "No full answer can be given right now, and no passage fits well enough."
MAX_TOKENS = 400


class Degraded:
    """Makes degraded answers, deterministically and in milliseconds."""

    def __init__(self, availability: Availability, prompts: Prompts) -> None:
        self._mode = availability.degraded_mode
        self._prompts = prompts

    def answer(self, question: str, passages: Sequence[Passage], failure: ServiceError) -> Answer:
        """What can still be said.

        Raises:
            ServiceError: `failure`, when the team chose to refuse.
        """
        reason = REASONS.get(type(failure), "unavailable")
        if self._mode == "template":
            return Answer("degraded", self._prompts.text("degraded"), reason=reason)
        if self._mode == "sources_only":
            found = extract(question, passages, MAX_TOKENS)
            if found == NOT_FOUND:
                return Answer("degraded", SOURCES_ONLY_NOTHING, reason=reason)
            citations, _ = resolve(found, passages)
            return Answer("degraded", f"{SOURCES_ONLY} {found}", citations, reason=reason)
        raise failure
