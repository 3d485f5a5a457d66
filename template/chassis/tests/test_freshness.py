from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from chassis.errors import StoreError
from chassis.freshness import SourceWatch
from chassis.ports import Answer
from chassis.settings import Source
from chassis.store.database import Database
from chassis.store.documents import DocumentStore

READ_AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
FULL = Answer("full", "Yes [1].")


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self):
        self.now = READ_AT

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    """The time of day, as the test sets it."""
    return Clock()


@pytest.fixture
def read(database, store):
    """Record that a source was read at `READ_AT`."""

    async def read(name, error=None):
        await store.record(name)
        if error:
            await store.record(name, error)
        async with database.begin() as connection:
            await connection.execute(sa.text("update sources set read_at = :at"), {"at": READ_AT})

    return read


def watch(store, clock, **sources):
    return SourceWatch(sources, store, now=clock)


async def test_a_source_is_out_of_date_after_its_own_time(store, clock, read):
    await read("wiki")
    await read("shop")
    sources = {"wiki": Source(max_age_hours=1), "shop": Source(max_age_hours=24)}
    watching = watch(store, clock, **sources)

    clock.now = READ_AT + timedelta(hours=1)
    assert await watching.out_of_date() == []

    clock.now += timedelta(seconds=1)
    assert await watching.out_of_date() == ["wiki"]

    clock.now += timedelta(hours=23)
    assert await watching.out_of_date() == ["wiki", "shop"]


async def test_a_source_that_was_never_read_is_out_of_date(store, clock):
    assert await watch(store, clock, wiki=Source()).out_of_date() == ["wiki"]

    await store.record("wiki", "the first reading failed")
    assert await watch(store, clock, wiki=Source()).out_of_date() == ["wiki"]


async def test_a_reading_that_failed_after_one_that_did_not_is_no_reason_yet(store, clock, read):
    await read("wiki", error="away")

    assert await watch(store, clock, wiki=Source()).out_of_date() == []


@pytest.mark.parametrize(
    ("hard", "kind", "reason"),
    [(True, "degraded", "source_out_of_date: wiki"), (False, "full", None)],
)
async def test_only_a_hard_source_makes_an_answer_degraded(store, clock, hard, kind, reason):
    watching = watch(store, clock, wiki=Source(hard=hard), other=Source())

    answer = await watching.qualify(FULL)

    assert (answer.kind, answer.reason, answer.text) == (kind, reason, "Yes [1].")


async def test_an_answer_on_current_documents_stays_as_it_is(store, clock, read):
    await read("wiki")

    assert await watch(store, clock, wiki=Source(hard=True)).qualify(FULL) is FULL


async def test_an_answer_that_is_degraded_keeps_its_reason(store, clock):
    answer = Answer("degraded", "Later.", reason="deadline")

    assert await watch(store, clock, wiki=Source(hard=True)).qualify(answer) is answer


async def test_the_database_is_asked_at_most_every_few_seconds(store, clock, read):
    watching = watch(store, clock, wiki=Source())
    assert await watching.states() == {}

    await read("wiki")
    clock.now += timedelta(seconds=4)
    assert await watching.states() == {}

    clock.now += timedelta(seconds=1)
    assert list(await watching.states()) == ["wiki"]


async def test_a_clock_that_was_set_back_does_not_stop_the_watch(store, clock, read):
    watching = watch(store, clock, wiki=Source())
    await watching.states()

    await read("wiki")
    clock.now -= timedelta(days=1)

    assert list(await watching.states()) == ["wiki"]


@pytest.fixture
async def away():
    """A store whose database is away."""
    database = Database("postgresql://nobody@127.0.0.1:1/none")
    yield DocumentStore(database)
    await database.aclose()


async def test_without_a_hard_source_no_database_is_asked(away, clock):
    assert await watch(away, clock, wiki=Source()).qualify(FULL) is FULL


async def test_a_database_that_is_away_is_an_error_for_a_hard_source(away, clock):
    with pytest.raises(StoreError):
        await watch(away, clock, wiki=Source(hard=True)).qualify(FULL)
