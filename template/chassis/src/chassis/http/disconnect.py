"""Stop working when the caller has gone: frameworks do not do it for plain handlers."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import structlog
from fastapi import Request as HttpRequest

T = TypeVar("T")
log = structlog.get_logger()


class ClientGone(Exception):
    """The caller closed the connection before the answer."""


async def run_until_disconnect(http: HttpRequest, work: Coroutine[Any, Any, T]) -> T:
    """Run `work`; cancel it when the caller closes the connection.

    The body must have been read, otherwise its messages are taken for the disconnect.

    Raises:
        ClientGone: The caller left first.
    """
    task = asyncio.ensure_future(work)
    watcher = asyncio.ensure_future(until_disconnect(http))
    try:
        await asyncio.wait({task, watcher}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        log.info("client_gone")
        raise ClientGone
    finally:
        for running in (task, watcher):
            running.cancel()
        await asyncio.gather(task, watcher, return_exceptions=True)


async def until_disconnect(http: HttpRequest) -> None:
    """Return when the caller has closed the connection."""
    while (await http.receive())["type"] != "http.disconnect":
        pass
