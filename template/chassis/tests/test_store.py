import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from chassis.errors import NotFound, StoreError
from chassis.policy import derive
from chassis.ports import ANONYMOUS, Answer, Draft
from chassis.request import start
from chassis.store.answers import AnswerStore
from chassis.store.database import Database, driver_url, storable
from chassis.store.documents import DocumentStore
from chassis.store.migrate import config, migrate
from chassis.store.tables import metadata
from chassis.testing import database as make_database
from chassis.testing import make_settings


@pytest.fixture
def empty_url(server_url):
    """A database without any table."""
    with make_database(server_url) as url:
        yield url


@pytest.fixture
def connect():
    """Open a connection for a look at a database."""
    engines = []

    def connect(url):
        engines.append(sa.create_engine(driver_url(url)))
        return engines[-1].connect()

    yield connect
    for engine in engines:
        engine.dispose()


def revision(connection):
    return connection.scalar(sa.text("select version_num from chassis_migrations"))


def test_the_migrations_make_the_tables_of_the_code(database_url, connect):
    with connect(database_url) as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "version_table": "chassis_migrations"}
        )

        assert compare_metadata(context, metadata) == []


def test_the_migrations_can_be_taken_back_and_made_again(empty_url, connect):
    migrate(empty_url)
    with connect(empty_url) as connection, connection.begin():
        command.downgrade(config(connection), "base")
        assert sa.inspect(connection).get_table_names() == ["chassis_migrations"]

    migrate(empty_url)

    with connect(empty_url) as connection:
        assert "chunks" in sa.inspect(connection).get_table_names()


def test_migrating_again_does_nothing(empty_url, connect):
    migrate(empty_url)
    with connect(empty_url) as connection:
        connection.execute(sa.text("insert into sources (name) values ('kept')"))
        connection.commit()

    migrate(empty_url)

    with connect(empty_url) as connection:
        assert connection.scalar(sa.text("select name from sources")) == "kept"
        assert revision(connection) == "0001"


def test_replicas_that_start_together_migrate_once(empty_url, connect):
    with ThreadPoolExecutor(4) as replicas:
        for done in [replicas.submit(migrate, empty_url) for _ in range(4)]:
            done.result(timeout=30)

    with connect(empty_url) as connection:
        assert revision(connection) == "0001"


def test_a_database_of_a_newer_version_is_an_error_that_says_so(empty_url, connect):
    migrate(empty_url)
    with connect(empty_url) as connection:
        connection.execute(sa.text("update chassis_migrations set version_num = '9999'"))
        connection.commit()

    with pytest.raises(StoreError, match=r"newer version of this service: .*'9999'"):
        migrate(empty_url)

    with connect(empty_url) as connection:
        assert revision(connection) == "9999"


def test_a_migration_that_fails_leaves_nothing_behind(empty_url, connect):
    with connect(empty_url) as connection:
        connection.execute(sa.text("create table feedback (id int)"))
        connection.commit()

    with pytest.raises(StoreError, match="could not be migrated"):
        migrate(empty_url)

    with connect(empty_url) as connection:
        assert sa.inspect(connection).get_table_names() == ["feedback"]


def test_a_database_that_is_away_cannot_be_migrated():
    with pytest.raises(StoreError, match="could not be migrated"):
        migrate("postgresql://nobody@127.0.0.1:1/none")


def test_migrating_leaves_the_programs_logging_alone(database_url, monkeypatch):
    loggers = [logging.getLogger(), logging.getLogger("alembic"), logging.getLogger("chassis")]
    for logger in loggers:
        monkeypatch.setattr(logger, "disabled", False)
    before = [(logger.disabled, logger.level, logger.handlers[:]) for logger in loggers]

    migrate(database_url)

    assert [(logger.disabled, logger.level, logger.handlers) for logger in loggers] == before


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_a_url_is_taken_as_hosts_give_it(scheme):
    url = driver_url(f"{scheme}://u:p%40@h:5432/d?sslmode=require")

    assert url == "postgresql+psycopg://u:p%40@h:5432/d?sslmode=require"


async def test_an_error_inside_a_transaction_takes_it_back(database, store):
    async def work():
        async with database.begin() as connection:
            await connection.execute(sa.text("insert into sources (name) values ('x')"))
            raise KeyError

    with pytest.raises(KeyError):
        await work()

    assert await store.states() == {}


async def test_a_database_error_is_ours_and_does_not_tell_what_was_stored(database):
    with pytest.raises(StoreError) as caught:
        async with database.begin() as connection:
            await connection.execute(sa.text("select 'a secret'::int"))

    assert str(caught.value) == "the database failed: DataError"


async def test_a_lock_ends_with_its_connection(store):
    async with store.alone("x") as one, store.alone("x") as two, store.alone("y") as other:
        assert (one, two, other) == (True, False, True)

    async with store.alone("x") as again:
        assert again


async def test_a_lock_is_let_go_when_its_work_is_cut(store):
    begun = asyncio.Event()

    async def work():
        async with store.alone("x"):
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await begun.wait()
    task.cancel()
    await asyncio.wait([task])

    async with asyncio.timeout(5):
        while True:
            async with store.alone("x") as again:
                if again:
                    return


async def test_a_database_that_is_away_holds_no_lock():
    store = DocumentStore(Database("postgresql://nobody@127.0.0.1:1/none"))

    with pytest.raises(StoreError):
        async with store.alone("x"):
            pass


async def test_many_documents_are_removed_at_once(store):
    await store.remove(f"notes/{number}" for number in range(70_000))

    assert await store.states() == {}


@pytest.mark.parametrize("text", ["", "plain", "Größe 🚪\n"])
def test_a_usual_text_is_storable_as_it_is(text):
    assert storable(text) == text


@pytest.fixture
def answers(database):
    """The record of answers."""
    return AnswerStore(database)


def request(conversation_id=None):
    return start("A question?", derive(make_settings()), ANONYMOUS, conversation_id=conversation_id)


async def rows(database, query):
    async with database.begin() as connection:
        return [dict(row._mapping) for row in await connection.execute(sa.text(query))]


async def test_an_answer_is_kept_by_what_made_it_and_without_its_text(answers, database):
    asked = request("talk\0 1 \ud800")
    draft = Draft("Secret text [1].", "openai", "m-1", "openai/m", "abc", "stop", 10, 5, 0.25)
    asked.timings_ms["generate"] = 12.5

    await answers.save(asked, Answer("full", draft.text, draft=draft), "trace")

    [row] = await rows(database, "select * from answers")
    assert row.pop("created_at")
    assert row == {
        "id": asked.id,
        "conversation_id": "talk 1 ?",
        "trace_id": "trace",
        "answer_kind": "full",
        "reason": None,
        "provider": "openai",
        "model": "m-1",
        "variant": "openai/m",
        "prompt_version": "abc",
        "input_tokens": 10,
        "output_tokens": 5,
        "cost_usd": 0.25,
        "timings_ms": {"generate": 12.5},
    }


async def test_an_answer_without_a_model_is_kept_too(answers, database):
    await answers.save(request(), Answer("degraded", "Later.", reason="deadline"), "trace")

    [row] = await rows(database, "select provider, input_tokens, reason from answers")
    assert row == {"provider": None, "input_tokens": 0, "reason": "deadline"}


async def test_feedback_belongs_to_its_answer(answers, database):
    asked = request()
    await answers.save(asked, Answer("full", "Yes."), "trace")

    await answers.add_feedback(asked.id, "down", None, "Wrong\0 \ud800!")

    [row] = await rows(database, "select answer_id, rating, reason, comment from feedback")
    assert row == {
        "answer_id": asked.id, "rating": "down", "reason": None, "comment": "Wrong ?!",
    }  # fmt: skip


async def test_feedback_on_no_answer_is_not_found(answers):
    with pytest.raises(NotFound, match="no answer 'x'"):
        await answers.add_feedback("x", "up", None, None)
