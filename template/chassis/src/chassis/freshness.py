"""Whether the sources that an answer must rest on are there and up to date."""

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from .ports import Answer
from .settings import Source
from .store.documents import DocumentStore, SourceState

LOOK_EVERY_S = 5


class SourceWatch:
    """Looks at the readings of the sources, at most every few seconds."""

    def __init__(self, settings: Mapping[str, Source], store: DocumentStore) -> None:
        self._settings = settings
        self._store = store
        self._states: dict[str, SourceState] = {}
        self._looked_at = -LOOK_EVERY_S * 1.0

    async def states(self) -> dict[str, SourceState]:
        """The state of every source that was read, by name.

        Raises:
            StoreError: The database failed.
        """
        if time.monotonic() - self._looked_at >= LOOK_EVERY_S:
            self._states = await self._store.states()
            self._looked_at = time.monotonic()
        return self._states

    async def out_of_date(self) -> list[str]:
        """The names of the sources whose last complete reading is missing or too old."""
        states = await self.states()
        return [
            name
            for name, settings in self._settings.items()
            if is_out_of_date(states.get(name), settings)
        ]

    async def qualify(self, answer: Answer) -> Answer:
        """Call a full answer degraded when a hard source is out of date."""
        if answer.kind != "full":
            return answer
        missing = [name for name in await self.out_of_date() if self._settings[name].hard]
        if not missing:
            return answer
        return replace(answer, kind="degraded", reason=f"source_out_of_date: {', '.join(missing)}")


def is_out_of_date(state: SourceState | None, settings: Source) -> bool:
    """Whether a source was never read to its end, or too long ago."""
    if state is None or state.read_at is None:
        return True
    return datetime.now(UTC) - state.read_at > timedelta(hours=settings.max_age_hours)
