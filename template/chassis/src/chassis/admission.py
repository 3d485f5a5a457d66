"""Let in as many requests as the service is sized for, and turn the others away at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from .errors import Overloaded
from .policy import Policy
from .telemetry import Telemetry


class Admission:
    """The door: `concurrency` requests inside, `queue` at most waiting a moment for a place."""

    def __init__(self, policy: Policy, telemetry: Telemetry) -> None:
        self._policy = policy
        self._telemetry = telemetry
        self._places = asyncio.Semaphore(policy.concurrency)
        self._waiting = 0
        self.draining = False
        """Set when the process is about to end. Callers are still let in: load balancers go on
        sending them until they have seen that `/readyz` fails."""

    @asynccontextmanager
    async def admit(self) -> AsyncIterator[None]:
        """Hold a place while the request runs.

        Raises:
            Overloaded: No place was free in time.
        """
        await self._enter()
        self._telemetry.in_flight(+1)
        try:
            yield
        finally:
            self._telemetry.in_flight(-1)
            self._places.release()

    async def _enter(self) -> None:
        if self._places.locked() and self._waiting >= self._policy.queue:
            self._telemetry.shed()
            raise Overloaded("too many requests in flight")
        self._waiting += 1
        try:
            async with asyncio.timeout(self._policy.queue_wait_ms / 1000):
                await self._places.acquire()
        except TimeoutError as error:
            self._telemetry.shed()
            raise Overloaded("no place came free in time") from error
        finally:
            self._waiting -= 1
