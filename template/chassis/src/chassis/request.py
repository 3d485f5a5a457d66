"""One request on its way through the flow: who asks, how long is left, what was done."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from opentelemetry.trace import NoOpTracer, Tracer

from .errors import DeadlineExceeded
from .policy import Policy
from .ports import Caller, Delta


@dataclass(frozen=True, slots=True)
class Restart:
    """Discard the text shown so far: another attempt begins."""


Listener = Callable[[Delta | Restart], Awaitable[None]]


async def nobody(_: Delta | Restart) -> None:
    """The listener of a caller who waits for the whole answer."""


@dataclass(slots=True)
class Request:
    """A question and its deadline.

    Attributes:
        deadline: On the clock of `time.monotonic`, in seconds.
        listener: Told about each piece of text as it is written.
        timings_ms: Duration of each step so far, by its name.
    """

    question: str
    caller: Caller
    policy: Policy
    deadline: float
    conversation_id: str | None = None
    listener: Listener = nobody
    tracer: Tracer = field(default_factory=NoOpTracer)
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    timings_ms: dict[str, float] = field(default_factory=dict)

    def remaining_s(self, step: str) -> float:
        """Seconds that `step` may still take, leaving what the steps after it need."""
        return self.deadline - time.monotonic() - self.policy.before(step) / 1000

    @asynccontextmanager
    async def step(self, name: str) -> AsyncIterator[None]:
        """One step of the flow: a span, an entry of `timings_ms`, and a limit.

        Raises:
            DeadlineExceeded: The step was still running when its time was up.
        """
        begun = time.monotonic()
        with self.tracer.start_as_current_span(name):
            try:
                async with asyncio.timeout(self.remaining_s(name)):
                    yield
            except TimeoutError as error:
                raise DeadlineExceeded(name) from error
            finally:
                self.timings_ms[name] = round((time.monotonic() - begun) * 1000, 1)


T = TypeVar("T")


async def within(limit_s: float, work: Coroutine[Any, Any, T], step: str) -> T:
    """Wait at most so long for `work`; then cancel it, and do not wait for that either.

    A database that hangs takes seconds to notice a cancellation.

    Raises:
        DeadlineExceeded: It was still running when its time was up.
    """
    task = asyncio.ensure_future(work)
    try:
        done, _ = await asyncio.wait({task}, timeout=limit_s)
    finally:
        if not task.done():
            task.cancel()
            task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    if not done:
        raise DeadlineExceeded(step)
    return task.result()


def start(
    question: str,
    policy: Policy,
    caller: Caller,
    *,
    conversation_id: str | None = None,
    timeout_ms: int | None = None,
    listener: Listener = nobody,
    tracer: Tracer | None = None,
) -> Request:
    """Begin a request now.

    Args:
        timeout_ms: The caller's own limit; the smaller of it and the objective holds.
    """
    limit_ms = min(policy.deadline_ms, timeout_ms or policy.deadline_ms)
    deadline = time.monotonic() + limit_ms / 1000
    tracer = tracer or NoOpTracer()
    return Request(question, caller, policy, deadline, conversation_id, listener, tracer)
