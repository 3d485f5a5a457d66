import asyncio

import pytest
from sqlalchemy import text

from chassis.errors import ProviderError
from chassis.ingestion.ingest import ingest
from chassis.retrieval import vectors as retrieval_vectors
from chassis.retrieval.vectors import Vectors
from chassis.settings import Embeddings
from chassis.testing import Counting, Script


@pytest.fixture
async def filled(store):
    """A store with five chunks and no vector."""
    texts = {f"n{number}": f"Note {number} of the day." for number in range(5)}
    await ingest({"notes": Counting(texts)}, store, None)
    return store


def make(store, embedder, model="m", dimensions=64):
    return Vectors(Embeddings(provider="v", model=model, dimensions=dimensions), embedder, store)


async def counted(database):
    query = text("select model, count(*) as vectors from embeddings group by model")
    async with database.begin() as connection:
        return {row.model: row.vectors for row in await connection.execute(query)}


async def test_every_chunk_is_embedded_once_with_its_heading(filled, database):
    script = Script()

    assert await make(filled, script).fill() == 5
    assert await make(filled, script).fill() == 0

    assert sorted(script.embedded) == [f"n{n}\nNote {n} of the day.\n" for n in range(5)]
    assert await counted(database) == {"v/m/64": 5}


async def test_more_than_one_batch_is_embedded(filled, database, monkeypatch):
    monkeypatch.setattr(retrieval_vectors, "BATCH", 2)

    assert await make(filled, Script()).fill() == 5
    assert await counted(database) == {"v/m/64": 5}


async def test_another_model_or_length_has_its_own_vectors(filled, database):
    await make(filled, Script()).fill()
    await make(filled, Script(), model="n").fill()
    await make(filled, Script(), dimensions=65).fill()

    assert await counted(database) == {"v/m/64": 5, "v/n/64": 5, "v/m/65": 5}


class FailsLater(Script):
    """An embedder that fails at its second batch."""

    async def embed(self, *arguments, **named):
        if self.embedded:
            raise ProviderError("away")
        return await super().embed(*arguments, **named)


async def test_what_was_embedded_before_a_failure_is_kept(filled, database, monkeypatch):
    monkeypatch.setattr(retrieval_vectors, "BATCH", 2)

    with pytest.raises(ProviderError, match="away"):
        await make(filled, FailsLater()).fill()

    assert await counted(database) == {"v/m/64": 2}
    assert await make(filled, Script()).fill() == 3


async def test_a_chunk_that_was_removed_meanwhile_is_left_out(filled, database):
    class Removing(Script):
        async def embed(self, *arguments, **named):
            await filled.remove(["notes/n1"])
            return await super().embed(*arguments, **named)

    await make(filled, Removing()).fill()

    assert await counted(database) == {"v/m/64": 4}


async def test_two_at_once_do_not_pay_twice(filled):
    one, two = Script(), Script()

    await asyncio.gather(make(filled, one).fill(), make(filled, two).fill())
    await make(filled, Script()).fill()

    assert len(one.embedded) + len(two.embedded) == 5


async def test_a_removed_document_takes_its_vectors_along(filled, database):
    await make(filled, Script()).fill()

    await filled.remove(["notes/n0", "notes/n1"])

    assert await counted(database) == {"v/m/64": 3}


@pytest.mark.parametrize("answer", [[], [[1.0] * 63], [[1.0] * 64] * 2])
async def test_an_answer_that_does_not_fit_is_the_providers_failure(store, answer):
    class Wrong(Script):
        async def embed(self, *arguments, **named):
            return answer

    with pytest.raises(ProviderError, match="v/m/64: not one vector of that length for each text"):
        await make(store, Wrong()).of_question("alpha", timeout_s=5)


async def test_an_embedder_that_hangs_is_cut(store):
    class Hanging(Script):
        async def embed(self, *arguments, **named):
            await asyncio.Event().wait()

    with pytest.raises(ProviderError, match=r"v/m/64: no vectors within 0\.0 s"):
        await make(store, Hanging()).of_question("alpha", timeout_s=0.01)
