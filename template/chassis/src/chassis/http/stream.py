"""An answer as server-sent events: start, delta*, restart?, citation*, and one terminal event."""

import asyncio
import json
import time
from collections.abc import AsyncIterator

import structlog
from pydantic import BaseModel

from ..errors import ServiceError
from ..ports import Delta
from ..request import Request, Restart
from ..service import Flow, Service
from ..telemetry import trace_id
from .answering import answer_in_time
from .schema import answer_body

HEARTBEAT_S = 15
"""Shorter than the idle timeouts of usual load balancers (60 s and more)."""

log = structlog.get_logger()


def event(name: str, data: BaseModel | dict[str, object]) -> bytes:
    """One event in the wire format.

    Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
    """
    body = data.model_dump_json() if isinstance(data, BaseModel) else json.dumps(data)
    return f"event: {name}\ndata: {body}\n\n".encode()


async def events(request: Request, flow: Flow, service: Service) -> AsyncIterator[bytes]:
    """Yield the events of one answer; always ends with `done`, `degraded` or `error`."""
    queue: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=64)
    request.listener = Listener(queue, service)
    yield event("start", {"id": request.id, "trace_id": trace_id()})
    task = asyncio.create_task(produce(request, flow, service, queue))
    try:
        while (item := await next_item(queue)) is not None:
            yield item
    finally:
        # Closed early: the caller has gone.
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def next_item(queue: asyncio.Queue[bytes | None]) -> bytes | None:
    """The next event, or a comment that keeps the connection open."""
    try:
        async with asyncio.timeout(HEARTBEAT_S):
            return await queue.get()
    except TimeoutError:
        return b": still working\n\n"


class Listener:
    """Puts text into the queue as it is written."""

    def __init__(self, queue: asyncio.Queue[bytes | None], service: Service) -> None:
        self._queue = queue
        self._service = service
        self._begun = time.monotonic()
        self._first = True

    async def __call__(self, item: Delta | Restart) -> None:
        """Pass on a piece of text, or the news that it begins again."""
        if isinstance(item, Restart):
            await self._queue.put(event("restart", {}))
            return
        if self._first:
            self._first = False
            self._service.telemetry.first_token(time.monotonic() - self._begun)
        await self._queue.put(event("delta", {"text": item.text}))


async def produce(
    request: Request, flow: Flow, service: Service, queue: asyncio.Queue[bytes | None]
) -> None:
    """Run the flow and put its outcome into the queue, then None."""
    try:
        answer = await answer_in_time(request, flow, service)
        body = answer_body(request, answer)
        for citation in body.citations:
            await queue.put(event("citation", citation))
        await queue.put(event("done" if answer.kind == "full" else "degraded", body))
    except ServiceError as error:
        status = {"status": error.status, "trace_id": trace_id()}
        detail = {"detail": str(error)} if error.status < 500 else {}
        await queue.put(event("error", {**status, **detail}))
    except Exception:  # the outermost edge of a stream: it must not end without a terminal event
        log.exception("stream_crashed")
        await queue.put(event("error", {"status": 500, "trace_id": trace_id()}))
    await queue.put(None)
