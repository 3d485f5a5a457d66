import asyncio

import pytest
from sqlalchemy import text

from chassis.errors import ProviderError, SourceError, StoreError
from chassis.ingestion import ingest as ingestion
from chassis.ingestion.chunking import chunk
from chassis.ingestion.folder import Folder
from chassis.ingestion.ingest import Outcome, fingerprint, ingest
from chassis.ports import Entry
from chassis.retrieval.search import Retrieval
from chassis.retrieval.vectors import Vectors
from chassis.settings import Embeddings
from chassis.testing import Counting, Script

ALPHA = "# Alpha\n\nThe alpha door opens at nine.\n\n## Locks\n\nAlpha locks are brass.\n"
BETA = "# Beta\n\nThe beta door opens at ten.\n"


async def read(store, vectors=None, only=(), **sources):
    outcomes = await ingest(sources, store, vectors, only=only)
    return outcomes[0] if len(outcomes) == 1 else outcomes


async def chunks(database):
    """Each chunk's id and vector, by its text."""
    query = text(
        "select c.text, c.id, e.vector::text as vector from chunks c"
        " left join embeddings e on e.chunk_id = c.id"
    )
    async with database.begin() as connection:
        return {row.text: (row.id, row.vector) for row in await connection.execute(query)}


async def found(database, question):
    passages = await Retrieval(database).search(question, timeout_s=5)
    return [passage.document_id for passage in passages]


async def age(database, interval):
    """Make everything that was read that much older."""
    async with database.begin() as connection:
        await connection.execute(
            text("update documents set read_at = read_at - cast(:by as interval)"), {"by": interval}
        )


async def test_documents_are_read_once_and_can_be_found(store, database):
    source = Counting({"a": ALPHA, "b": BETA})

    first = await read(store, notes=source)
    second = await read(store, notes=source)

    assert first == Outcome("notes", read=2)
    assert second == Outcome("notes", unchanged=2)
    assert sorted(source.reads) == ["a", "b"]
    assert await found(database, "When does the beta door open?") == ["notes/b", "notes/a"]


async def test_a_changed_part_leaves_the_other_parts_their_ids_and_vectors(store, database):
    script = Script()
    vectors = Vectors(Embeddings(provider="v", model="m", dimensions=64), script, store)
    source = Counting({"a": ALPHA})
    await read(store, vectors, notes=source)
    before = await chunks(database)
    script.embedded.clear()

    source.texts["a"] = ALPHA.replace("nine", "eleven")
    outcome = await read(store, vectors, notes=source)

    after = await chunks(database)
    assert outcome == Outcome("notes", read=1)
    assert before.keys() - after.keys() == {"The alpha door opens at nine.\n"}
    assert after["Alpha locks are brass.\n"] == before["Alpha locks are brass.\n"]
    assert script.embedded == ["a > Alpha\nThe alpha door opens at eleven.\n"]


async def test_a_part_that_moved_knows_its_new_place(store, database):
    source = Counting({"a": ALPHA})
    await read(store, notes=source)
    source.texts["a"] = "An introduction.\n\n" + ALPHA
    await read(store, notes=source)

    query = text(
        "select bool_and(substr(d.text, c.start_char + 1, c.end_char - c.start_char) = c.text)"
        " from chunks c join documents d on d.id = c.document_id"
    )
    async with database.begin() as connection:
        assert await connection.scalar(query) is True


async def test_a_document_that_is_gone_is_in_no_answer(store, database):
    source = Counting({"a": ALPHA, "b": BETA})
    await read(store, notes=source)

    del source.texts["b"]
    outcome = await read(store, notes=source)

    assert outcome == Outcome("notes", unchanged=1, removed=1)
    assert await found(database, "When does the beta door open?") == ["notes/a"]


async def test_a_document_that_cannot_be_read_is_recorded_and_in_no_answer(store, database):
    source = Counting({"a": ALPHA, "b": BETA})
    await read(store, notes=source)

    source.texts["b"] = None
    outcome = await read(store, notes=source)

    assert outcome == Outcome("notes", unchanged=1, unreadable={"notes/b": "b cannot be parsed"})
    assert await found(database, "When does the beta door open?") == ["notes/a"]
    assert (await store.states())["notes"].documents == 2
    assert (await store.states())["notes"].unreadable == 1


async def test_an_unreadable_document_is_tried_again_when_it_changes_or_after_an_hour(
    store, database
):
    source = Counting({"b": None})
    await read(store, notes=source)
    await read(store, notes=source)
    assert source.reads == ["b"]

    await age(database, "59 minutes")
    await read(store, notes=source)
    assert source.reads == ["b"]

    await age(database, "2 minutes")
    await read(store, notes=source)
    assert source.reads == ["b", "b"]

    source.texts["b"] = BETA
    outcome = await read(store, notes=source)
    assert outcome == Outcome("notes", read=1)
    assert (await store.states())["notes"].unreadable == 0
    assert await found(database, "beta") == ["notes/b"]


async def test_a_readable_document_is_not_read_again_because_it_is_old(store, database):
    source = Counting({"a": ALPHA})
    await read(store, notes=source)
    await age(database, "1 year")

    assert await read(store, notes=source) == Outcome("notes", unchanged=1)


async def test_a_listing_that_fails_forgets_nothing(store, database):
    source = Counting({"a": ALPHA})
    await read(store, notes=source)
    read_at = (await store.states())["notes"].read_at

    source.broken = True
    outcome = await read(store, notes=source)

    state = (await store.states())["notes"]
    assert outcome == Outcome("notes", error="the source is away")
    assert (state.error, state.read_at) == ("the source is away", read_at)
    assert await found(database, "alpha") == ["notes/a", "notes/a"]

    source.broken = False
    await read(store, notes=source)
    assert (await store.states())["notes"].error is None


class HalfListed(Counting):
    """A source whose listing breaks in the middle, with an error of a library."""

    async def entries(self):
        yield Entry("a", "1")
        raise KeyError("next_page")


async def test_a_listing_that_breaks_in_the_middle_forgets_nothing(store, database):
    await read(store, notes=Counting({"a": ALPHA, "b": BETA}))

    outcome = await read(store, notes=HalfListed({}))

    assert outcome == Outcome("notes", error="KeyError, see the log")
    assert await found(database, "beta") == ["notes/b"]


async def test_one_failing_source_does_not_stop_the_others(store, database):
    broken = Counting({"a": ALPHA})
    broken.broken = True

    outcomes = await read(store, broken=broken, half=HalfListed({}), good=Counting({"b": BETA}))

    assert [outcome.error for outcome in outcomes] == [
        "the source is away",
        "KeyError, see the log",
        None,
    ]
    assert await found(database, "beta") == ["good/b"]


async def test_one_document_that_breaks_its_source_does_not_stop_the_others(store, database):
    source = Counting({"a": ALPHA, "b": BETA})
    source.raises["a"] = ZeroDivisionError("a bug")

    outcome = await read(store, notes=source)

    assert outcome == Outcome(
        "notes", read=1, unreadable={"notes/a": "ZeroDivisionError, see the log"}
    )
    assert await found(database, "beta") == ["notes/b"]


class Hanging(Counting):
    """A source of which one part never comes."""

    def __init__(self, texts, hangs):
        super().__init__(texts)
        self._hangs = hangs

    async def entries(self):
        async for entry in super().entries():
            yield entry
        if self._hangs == "listing":
            await asyncio.Event().wait()

    async def read(self, entry):
        if entry.id == self._hangs:
            await asyncio.Event().wait()
        return await super().read(entry)


async def test_a_source_that_hangs_is_left(store, database, monkeypatch):
    monkeypatch.setattr(ingestion, "TIMEOUT_S", 0.05)

    outcomes = await read(
        store,
        one=Hanging({"a": ALPHA}, "listing"),
        two=Hanging({"a": ALPHA, "b": BETA}, "a"),
    )

    assert outcomes == [
        Outcome("one", error="nothing came for 0.05 s"),
        Outcome("two", read=1, unreadable={"two/a": "nothing came for 0.05 s"}),
    ]


async def test_a_source_that_is_not_configured_any_more_is_forgotten(store, database):
    await read(store, old=Counting({"a": ALPHA}), new=Counting({"b": BETA}))

    await read(store, new=Counting({"b": BETA}))

    assert list(await store.states()) == ["new"]
    assert await found(database, "alpha door") == ["new/b"]


async def test_only_what_is_asked_for_is_read_and_the_rest_is_kept(store):
    sources = {"one": Counting({"a": ALPHA}), "two": Counting({"b": BETA})}
    await read(store, **sources)
    for source in sources.values():
        source.reads.clear()
        source.texts = {name: f"{body}\nMore.\n" for name, body in source.texts.items()}

    outcome = await read(store, only=["two"], **sources)

    assert outcome == Outcome("two", read=1)
    assert sources["one"].reads == []
    assert (await store.states())["one"].documents == 1


async def test_two_readers_at_once_do_not_read_twice(store):
    source = Counting({"a": ALPHA})

    async with store.alone("source notes") as alone:
        meanwhile = await read(store, notes=source)
    afterwards = await read(store, notes=source)

    assert alone
    assert meanwhile == Outcome("notes", error="another process is reading it")
    assert afterwards == Outcome("notes", read=1)


async def test_more_readings_than_connections_leave_some_for_answers(store, database):
    many = {f"s{number}": Counting({"a": ALPHA}) for number in range(8)}

    async def keep(name):
        async with store.alone(f"other {name}"):
            return await found(database, "alpha")

    async with asyncio.timeout(10):
        assert await asyncio.gather(*(keep(name) for name in many)) == [[]] * 8


class Killed(BaseException):
    """What stops a process in the middle."""


async def test_a_crash_in_the_middle_leaves_a_consistent_store(store, database):
    source = Counting({f"n{number}": f"# N\n\nNumber{number} is here.\n" for number in range(12)})
    source.raises["n8"] = Killed()

    with pytest.raises(BaseExceptionGroup):
        await read(store, notes=source)
    stored = len(await store.fingerprints("notes"))
    source.raises.clear()
    outcome = await read(store, notes=source)

    assert 0 < stored < 12
    assert outcome == Outcome("notes", read=12 - stored, unchanged=stored)
    for number in range(12):
        assert await found(database, f"Number{number}") == [f"notes/n{number}"]


async def test_words_that_a_crash_left_uncounted_are_counted_next_time(store, database):
    source = Counting({"a": ALPHA})
    [entry] = [entry async for entry in source.entries()]
    cut = chunk("notes/a", "Alpha", ALPHA)
    await store.replace("notes", "notes/a", fingerprint(entry), await source.read(entry), cut)
    assert await found(database, "alpha door") == []

    outcome = await read(store, notes=source)

    assert outcome == Outcome("notes", unchanged=1)
    assert await found(database, "alpha door") == ["notes/a", "notes/a"]
    assert not await store.statistics_are_old()


async def test_a_new_way_of_cutting_reads_everything_again(store, monkeypatch):
    source = Counting({"a": ALPHA})
    await read(store, notes=source)

    monkeypatch.setattr(ingestion, "READING", ingestion.READING + 1)

    assert await read(store, notes=source) == Outcome("notes", read=1)


async def test_text_that_no_database_stores_is_stored_without_it(store, database):
    source = Counting({"a": "\ufeff# Al\0pha\r\n\r\nThe door \ud800 opens.\r\n"})

    assert await read(store, notes=source) == Outcome("notes", read=1)
    assert list(await chunks(database)) == ["The door ? opens.\n"]


async def test_progress_is_told_for_each_document(store):
    told = []
    sources = {"notes": Counting({"a": ALPHA, "b": None})}

    await ingest(sources, store, None, progress=lambda *said: told.append(said))

    assert told == [("notes", 1, 2), ("notes", 2, 2)]


async def test_a_folder_is_read_to_its_answers(store, database, tmp_path):
    (tmp_path / "a.md").write_text(ALPHA)

    await read(store, files=Folder(tmp_path))
    [passage, _] = await Retrieval(database).search("alpha door", timeout_s=5)

    assert passage.title == "Alpha"
    assert passage.heading == "Alpha"
    assert passage.text == "The alpha door opens at nine.\n"
    assert passage.uri == (tmp_path / "a.md").as_posix()
    assert passage.source == "files"


async def test_embedding_that_fails_does_not_stop_reading(store, database):
    script = Script()
    script.embedding_fails = ProviderError("away")
    vectors = Vectors(Embeddings(provider="v", model="m", dimensions=64), script, store)

    assert await read(store, vectors, notes=Counting({"b": BETA})) == Outcome("notes", read=1)
    assert await found(database, "beta") == ["notes/b"]

    script.embedding_fails = None
    await read(store, vectors, notes=Counting({"b": BETA}))
    assert script.embedded == ["b > Beta\nThe beta door opens at ten.\n"]


def test_a_source_error_is_passed_on_as_it_is():
    error = SourceError("as it is")

    with pytest.raises(SourceError) as caught, ingestion.source_errors():
        raise error

    assert caught.value is error


async def test_a_name_too_long_for_the_database_stops_no_other_document(store):
    long = "/".join(str(number) * 200 for number in range(10))
    source = Counting({long: ALPHA, "b": BETA})

    outcome = await read(store, notes=source)

    assert outcome.read == 1
    assert list(outcome.unreadable.values()) == ["its name has more than 1000 bytes"]


async def test_a_database_that_fails_while_documents_are_read_is_a_store_error(store, monkeypatch):
    async def away(*_):
        raise StoreError("away")

    monkeypatch.setattr(store, "replace", away)

    with pytest.raises(StoreError, match="away"):
        await read(store, notes=Counting({"a": ALPHA, "b": BETA}))
