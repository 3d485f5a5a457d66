"""The worker: what happens without anybody asking."""

import asyncio
import signal

import structlog

from ..app import App
from ..errors import StoreError

log = structlog.get_logger()


async def work(app: App) -> None:
    """Read each source at its own interval, until SIGTERM or SIGINT.

    A reading that has begun is cut; the next one goes on where it stopped.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    tasks = [asyncio.create_task(keep_reading(app, name)) for name in app.sources]
    log.info("worker_started", sources=list(app.sources))
    await stop.wait()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    log.info("worker_stopped")


async def keep_reading(app: App, name: str) -> None:
    """Read one source for ever; whatever fails is logged and tried again next time."""
    every_s = app.service.settings.sources[name].every_minutes * 60
    while True:
        try:
            for outcome in await app.ingest([name]):
                log.info(
                    "source_read",
                    source=name,
                    read=outcome.read,
                    unchanged=outcome.unchanged,
                    removed=outcome.removed,
                    unreadable=len(outcome.unreadable),
                    error=outcome.error,
                )
        except StoreError as error:
            log.warning("source_not_read", source=name, error=str(error))
        except Exception:  # the worker's outermost edge: one source must not stop for good
            log.exception("source_crashed", source=name)
        await asyncio.sleep(every_s)
