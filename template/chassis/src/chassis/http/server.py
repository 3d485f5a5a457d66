"""The server process: start, serve, drain."""

import asyncio
import signal
import socket
from types import FrameType

import structlog
import uvicorn
from fastapi import FastAPI

from ..admission import Admission
from ..settings import Settings

KEEP_ALIVE_S = 75
"""Longer than the idle timeout of usual load balancers (60 s), or they meet a closed port."""

PRODUCTION_DRAIN_S = 8
"""Time for load balancers to see that `/readyz` fails before the port closes."""

log = structlog.get_logger()


class DrainingServer(uvicorn.Server):
    """Uvicorn that, on SIGTERM, first says it is not ready, waits, then closes the port."""

    def __init__(self, config: uvicorn.Config, admission: Admission, drain_s: float) -> None:
        super().__init__(config)
        self._admission = admission
        self._drain_s = drain_s

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the port and say where it is."""
        await super().startup(sockets=sockets)
        for server in self.servers:
            for opened in server.sockets:
                host, port = opened.getsockname()[:2]
                log.info("serving", url=f"http://{host}:{port}")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to drain; a second signal ends the wait."""
        if self._admission.draining or sig != signal.SIGTERM or not self._drain_s:
            self._admission.draining = True
            super().handle_exit(sig, frame)
            return
        self._admission.draining = True
        log.info("draining", seconds=self._drain_s)
        asyncio.get_event_loop().call_later(self._drain_s, super().handle_exit, sig, frame)


async def run(api: FastAPI, settings: Settings, admission: Admission) -> None:
    """Serve until a signal; requests in flight get the whole of their deadline."""
    deadline_s = settings.objectives.latency.p95_ms / 1000
    config = uvicorn.Config(
        api,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=int(deadline_s) + 2,
        h11_max_incomplete_event_size=64 * 1024,
    )
    drain_s = settings.drain_s
    if drain_s is None:
        drain_s = PRODUCTION_DRAIN_S if settings.env == "production" else 0
    await DrainingServer(config, admission, drain_s).serve()
