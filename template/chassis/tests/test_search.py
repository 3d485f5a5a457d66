import asyncio
import math

import pytest
from sqlalchemy import text

from chassis.errors import ProviderError, StoreError
from chassis.ingestion.ingest import ingest
from chassis.retrieval import search
from chassis.retrieval.search import Retrieval, fuse
from chassis.retrieval.vectors import Vectors
from chassis.settings import Embeddings
from chassis.store.database import Database
from chassis.testing import Counting, Script


@pytest.fixture
def fill(store):
    """Put texts into the store."""

    async def fill(texts, vectors=None):
        await ingest({"notes": Counting(texts)}, store, vectors)

    return fill


@pytest.fixture
def found(database):
    """The ids of the documents whose passages a question finds."""

    async def found(question, vectors=None):
        passages = await Retrieval(database, vectors).search(question, timeout_s=5)
        return [passage.document_id.removeprefix("notes/") for passage in passages]

    return found


async def scores(database, question):
    async with database.begin() as connection:
        rows = await connection.execute(search.FULL_TEXT, {"question": question, "depth": 30})
        return [row.score for row in rows]


async def test_the_score_is_bm25_worked_out_by_hand(fill, database):
    # Heading and text, in words: "a" + 4, "b" + 6, "c" + 3; so 5 + 7 + 4, on average 16 / 3.
    await fill(
        {
            "a": "alpha beta beta gamma",
            "b": "beta delta delta delta epsilon zeta",
            "c": "eta is iota",
        }
    )

    alpha = math.log(1 + (3 - 1 + 0.5) / (1 + 0.5))
    beta = math.log(1 + (3 - 2 + 0.5) / (2 + 0.5))
    norm = {words: 1.2 * (0.6 + 0.4 * words / (16 / 3)) for words in (5, 7)}
    first = alpha * 2.2 * 1 / (1 + norm[5]) + beta * 2.2 * 2 / (2 + norm[5])
    second = beta * 2.2 * 1 / (1 + norm[7])

    assert await scores(database, "Alpha, and beta?") == pytest.approx([first, second])


async def test_two_words_side_by_side_count_more_than_apart(fill, found, database):
    await fill({"a": "model twenty runs two", "b": "model two runs twenty", "c": "nothing at all"})

    assert await found("Which model two?") == ["b", "a"]

    apart, together = sorted(await scores(database, "Which model two?"))
    # Of the two chunks that have a word in common with the question one has the pair.
    assert together - apart == pytest.approx(math.log(1 + (2 - 1 + 0.5) / (1 + 0.5)), abs=1e-6)


async def test_a_word_in_the_heading_counts_twice(fill, found, database):
    # Both have three words in the heading (one is ">") and four in the text: the mean length.
    await fill({"a": "# Other\n\nA door and more.\n", "b": "# Door\n\nA lock and more.\n"})

    assert await found("door") == ["b", "a"]
    idf = math.log(1 + (2 - 2 + 0.5) / (2 + 0.5))
    assert await scores(database, "door") == pytest.approx([idf * 4.4 / 3.2, idf * 2.2 / 2.2])


async def test_the_rarest_words_select(fill, found, database, monkeypatch):
    await fill({f"n{number:02}": "The door is common." for number in range(20)} | {"x": "A key."})
    narrow = search.FULL_TEXT.text.replace("20000", "20")
    monkeypatch.setattr(search, "FULL_TEXT", text(narrow))

    assert await found("key of the door") == ["x"]
    assert len(await found("door")) == 6


async def test_a_form_of_a_word_finds_the_others(fill, found):
    await fill({"a": "Returned machines are cleaned."})

    assert await found("Who cleans machines?") == ["a"]


@pytest.mark.parametrize("question", ["", "   ", "?", "What is it that you are?", "unheard-of"])
async def test_a_question_without_a_known_word_finds_nothing(fill, found, question):
    await fill({"a": "The alpha door opens at nine."})

    assert await found(question) == []


async def test_an_empty_store_finds_nothing(found):
    assert await found("alpha door") == []


STRANGE = [
    "alpha'; drop table chunks; --",
    "alpha & | ! ( ) <-> :* 'beta' \"gamma\"",
    "alpha \\ \\\\ \\' %s %(x)s :question {0} $1 ::text",
    "alpha:A C:\\alpha\\beta it's l'alpha http://alpha.example/it's?a=b'c&d=\\e",
    "alpha\0",
    "alpha b.aa/'.+",
    "alpha \ud800",
    "alpha " + "\U0001d51e 🚪 ﷽ \u202e\u200b " * 20,
    "alpha " * 5_000,
    "alpha <b>alpha</b> &amp; a@b.example 1e400 -0.0 +5 1.2.3.4",
]


@pytest.mark.parametrize("question", STRANGE)
async def test_what_means_something_to_a_database_means_nothing_in_a_question(
    fill, found, question
):
    await fill({"a": "The alpha door opens at nine.", "b": "Nothing of it."})

    assert (await found(question))[:1] == ["a"]


@pytest.mark.parametrize(
    "word", ["http://x.example/it's", "b.aa/'.+", "C:\\dir\\it's", "a\\'b", "it''s/x'"]
)
async def test_a_strange_word_of_a_document_can_be_asked_for(fill, found, word):
    await fill({"x": f"See {word} there.", "y": "Nothing of it."})

    assert await found(f"Where is {word} said?") == ["x"]


async def test_one_long_document_does_not_hide_the_others(fill, found):
    long = "# Doors\n\n" + "".join(f"## Door {n}\n\nThe door is a door.\n\n" for n in range(9))
    await fill({"long": long, "short": "# Prices\n\nA key for a door costs 5 euro, and a lock 9."})

    assert await found("door") == ["long", "long", "long", "short", "long", "long"]


async def test_a_long_document_alone_fills_all_places(fill, found):
    await fill({"long": "".join(f"## Door {n}\n\nThe door is a door.\n\n" for n in range(9))})

    assert await found("door") == ["long"] * 6


def test_rankings_are_fused_by_reciprocal_rank():
    # a: 1/61 + 1/63, b: 1/62 + 1/61, c: 1/63, d: 1/62
    assert fuse([["a", "b", "c"], ["b", "d", "a"]]) == ["b", "a", "d", "c"]
    assert fuse([["a", "b"], []]) == ["a", "b"]
    assert fuse([[], []]) == []
    assert fuse([["a"], ["b"]]) == ["a", "b"]


@pytest.fixture
def script():
    """A provider of vectors: texts with the same letters are near each other."""
    return Script()


@pytest.fixture
def vectors(script, store):
    """The vectors of a model of 64 dimensions."""
    return Vectors(Embeddings(provider="v", model="m", dimensions=64), script, store)


async def test_vectors_find_what_no_word_finds(fill, found, vectors):
    await fill({"a": "zzz zzz zz", "b": "Alpha door."}, vectors)

    assert await found("zzzz zzzz") == []
    assert await found("zzzz zzzz", vectors) == ["a", "b"]


async def test_words_and_vectors_are_fused(fill, found, vectors):
    # By words: x, then y. By letters: z, y, x, or near it.
    await fill({"x": "qqq qqq kkk kkk", "y": "qqq vvv vvv vvv", "z": "q q v v k k"}, vectors)

    assert await found("qqq") == ["x", "y"]
    assert sorted(await found("qqq", vectors)) == ["x", "y", "z"]
    assert (await found("qqq", vectors))[:2] != ["z", "y"]


@pytest.mark.parametrize("failure", ["down", "hangs", "wrong length", "too few"])
async def test_without_vectors_words_are_enough(fill, database, script, vectors, failure):
    await fill({"a": "Alpha door."}, vectors)

    async def hang(*arguments, **named):
        await asyncio.Event().wait()

    async def short(*arguments, **named):
        return [[1.0]]

    async def few(*arguments, **named):
        return []

    if failure == "down":
        script.embedding_fails = ProviderError("away")
    else:
        script.embed = {"hangs": hang, "wrong length": short, "too few": few}[failure]

    passages = await Retrieval(database, vectors).search("alpha", timeout_s=0.05)

    assert [passage.document_id for passage in passages] == ["notes/a"]


async def test_a_database_that_is_away_is_an_error_of_ours():
    database = Database("postgresql://nobody@127.0.0.1:1/none")

    with pytest.raises(StoreError, match=r"^the database failed: OperationalError$"):
        await Retrieval(database).search("alpha", timeout_s=1)

    await database.aclose()
