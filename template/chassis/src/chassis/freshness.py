"""Whether the sources that an answer must rest on are there and up to date."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from .ports import Answer
from .settings import Source
from .store.documents import DocumentStore, SourceState

LOOK_EVERY = timedelta(seconds=5)


def utc_now() -> datetime:
    """The time of day."""
    return datetime.now(UTC)


class SourceWatch:
    """Looks at the readings of the sources, at most every few seconds.

    Args:
        now: The time of day, to tell how old a reading is.
    """

    def __init__(
        self,
        settings: Mapping[str, Source],
        store: DocumentStore,
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._settings = settings
        self._store = store
        self._now = now
        self._states: dict[str, SourceState] = {}
        self._looked_at: datetime | None = None

    async def states(self) -> dict[str, SourceState]:
        """The state of every source that was read, by name.

        Raises:
            StoreError: The database failed.
        """
        now = self._now()
        if self._looked_at is None or abs(now - self._looked_at) >= LOOK_EVERY:
            self._states = await self._store.states()
            self._looked_at = now
        return self._states

    async def out_of_date(self) -> list[str]:
        """The names of the sources whose last complete reading is missing or too old."""
        states = await self.states()
        return [
            name
            for name, settings in self._settings.items()
            if is_out_of_date(states.get(name), settings, self._now())
        ]

    async def qualify(self, answer: Answer) -> Answer:
        """Call a full answer degraded when a hard source is out of date.

        Raises:
            StoreError: The database failed.
        """
        hard = {name for name, settings in self._settings.items() if settings.hard}
        if answer.kind != "full" or not hard:
            return answer
        missing = [name for name in await self.out_of_date() if name in hard]
        if not missing:
            return answer
        return replace(answer, kind="degraded", reason=f"source_out_of_date: {', '.join(missing)}")


def is_out_of_date(state: SourceState | None, settings: Source, now: datetime) -> bool:
    """Whether a source was never read to its end, or too long ago."""
    if state is None or state.read_at is None:
        return True
    return now - state.read_at > timedelta(hours=settings.max_age_hours)
