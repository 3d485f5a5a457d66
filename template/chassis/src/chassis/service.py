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
from .request import Request
from .retrieval.search import Retrieval
from .settings import Settings
from .store.answers import AnswerStore
from .telemetry import Telemetry, trace_id

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
        limit_s = min(self.policy.retrieve_ms / 1000, request.remaining_s("retrieve"))
        return await self.retrieval.search(question, timeout_s=limit_s)

    def prompt(self, route: str, question: str, passages: Sequence[Passage]) -> Prompt:
        """The prompt of a route, filled with a question and its numbered passages."""
        return self.prompts.render(self.settings.models.routes[route].prompt, question, passages)

    async def remember(self, request: Request, answer: Answer) -> None:
        """Save what made the answer; an answer is worth more than its record."""
        try:
            async with request.step("save"):
                await self.answers.save(request, answer, trace_id())
        except (StoreError, DeadlineExceeded) as error:
            log.warning("answer_not_saved", answer=request.id, error=str(error))


Flow = Callable[[Request, Service], Awaitable[Answer]]
"""The team's `flow.answer`."""
