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


Item = bytes | ServiceError | None
"""An event; why the caller was not let in; or the end."""


async def open_stream(request: Request, flow: Flow, service: Service) -> AsyncIterator[bytes]:
    """The events of one answer, as soon as the caller has been let in.

    Raises:
        ServiceError: The caller was not let in; there is no stream then.
    """
    # Not bounded: a model writes no more than its token cap, and a slow reader must not look
    # like a slow model.
    queue: asyncio.Queue[Item] = asyncio.Queue()
    request.listener = Listener(queue, service)
    task = asyncio.create_task(produce(request, flow, service, queue))
    first = await queue.get()
    if isinstance(first, ServiceError):
        await task
        raise first
    return events(first, queue, task)


async def events(
    first: bytes | None, queue: asyncio.Queue[Item], task: asyncio.Task[None]
) -> AsyncIterator[bytes]:
    """Yield events until the end; always the last one is `done`, `degraded` or `error`."""
    item: Item = first
    try:
        while isinstance(item, bytes):
            yield item
            item = await next_item(queue)
    finally:
        # Closed early: the caller has gone.
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def next_item(queue: asyncio.Queue[Item]) -> Item:
    """The next event, or a comment that keeps the connection open."""
    try:
        async with asyncio.timeout(HEARTBEAT_S):
            return await queue.get()
    except TimeoutError:
        return b": still working\n\n"


class Listener:
    """Puts text into the queue as it is written."""

    def __init__(self, queue: asyncio.Queue[Item], service: Service) -> None:
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
    request: Request, flow: Flow, service: Service, queue: asyncio.Queue[Item]
) -> None:
    """Run the flow and put what happens into the queue, at the end None."""
    begun = False

    async def start() -> None:
        nonlocal begun
        begun = True
        await queue.put(event("start", {"id": request.id, "trace_id": trace_id()}))

    try:
        answer = await answer_in_time(request, flow, service, admitted=start)
        body = answer_body(request, answer)
        for citation in body.citations:
            await queue.put(event("citation", citation))
        await queue.put(event("done" if answer.kind == "full" else "degraded", body))
    except ServiceError as error:
        await queue.put(failure(error) if begun else error)
    except Exception:  # the outermost edge of a stream: it must not end without a terminal event
        log.exception("stream_crashed")
        await queue.put(event("error", {"status": 500, "trace_id": trace_id()}))
    await queue.put(None)


def failure(error: ServiceError) -> bytes:
    """The terminal event for an error; as in a problem, a 5xx says nothing but the trace id."""
    detail = {"detail": str(error)} if error.status < 500 else {}
    return event("error", {"status": error.status, "trace_id": trace_id(), **detail})
