"""What a request needs, and how the team's flow is called."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from .admission import Admission
from .degraded import Degraded
from .errors import DeadlineExceeded, StoreError
from .freshness import SourceWatch
from .gateway.gateway import Gateway
from .policy import Policy
from .ports import Answer, Passage, Prompt
from .prompts import Prompts
from .request import Request, within
from .retrieval.search import Retrieval
from .settings import Settings
from .store.answers import AnswerStore
from .telemetry import Telemetry, trace_id

SAVE_S = 0.5
"""Longest that an answer waits for its record to be saved."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Service:
    """Everything a request needs; built once, in `chassis.app`."""

    settings: Settings
    policy: Policy
    retrieval: Retrieval
    prompts: Prompts
    gateway: Gateway
    degraded: Degraded
    sources: SourceWatch
    answers: AnswerStore
    admission: Admission
    telemetry: Telemetry

    async def retrieve(self, question: str, request: Request) -> tuple[Passage, ...]:
        """The passages that may answer the question, best first."""
        left_s = request.remaining_s("retrieve")
        embedding_s = min(self.policy.retrieve_ms / 1000, left_s)
        search = self.retrieval.search(question, timeout_s=embedding_s)
        return await within(left_s, search, "retrieve")

    def prompt(self, route: str, question: str, passages: Sequence[Passage]) -> Prompt:
        """The prompt of a route, filled with a question and its numbered passages."""
        return self.prompts.render(self.settings.models.routes[route].prompt, question, passages)

    async def remember(self, request: Request, answer: Answer) -> None:
        """Save what made the answer; an answer is worth more than its record."""
        try:
            async with request.step("save"):
                limit_s = min(request.remaining_s("save"), SAVE_S)
                await within(limit_s, self.answers.save(request, answer, trace_id()), "save")
        except (StoreError, DeadlineExceeded) as error:
            log.warning("answer_not_saved", answer=request.id, error=str(error))


Flow = Callable[[Request, Service], Awaitable[Answer]]
"""The team's `flow.answer`."""
