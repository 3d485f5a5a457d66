"""Find the passages that may answer a question: full text, and vectors where there are any."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Sequence

import structlog
from sqlalchemy import text

from ..errors import ProviderError
from ..ports import Passage
from ..store.database import Database, storable
from .vectors import Vectors

PASSAGES = 6
"""Handed to the model."""

PER_DOCUMENT = 3
"""Of one document, so that a long one on the subject does not hide a short one with the answer."""

DEPTH = 30
"""Taken from each ranking before they are fused."""

RRF_K = 60
"""Cormack, Clarke and Büttcher, "Reciprocal rank fusion", SIGIR 2009, section 3."""

log = structlog.get_logger()

# Okapi BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009, section 3.4)
# with k1 = 1.2, b = 0.75 and the idf that stays positive; a word in the heading counts twice.
# Only the question's rarest words select chunks, as many as together reach 20,000 of them. The
# best 200 gain for each pair of neighbours in the question that stand side by side in them, too:
# the pair's idf among the 200. It tells "model 2" from "model 20 runs for 2 hours".
FULL_TEXT = text(r"""
with asked as (
  select q.lexeme, q.positions, l.chunks as df,
         ('''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''')::tsquery as query
  from unnest(to_tsvector('english', :question)) q join lexemes l using (lexeme)
), terms as (
  select lexeme, query,
         ln(1 + (corpus.chunks - df + 0.5) / (df + 0.5)) as idf,
         sum(df) over (order by df, lexeme) as reach,
         row_number() over (order by df, lexeme) as position
  from asked, corpus
), selecting as (
  select string_agg(query::text, ' | ')::tsquery as query
  from terms where reach <= 20000 or position = 1
), best as (
  select c.id, c.words,
         sum(terms.idf * 2.2 * tf / (tf + 1.2 * (0.6 + 0.4 * c.length / corpus.mean_length)))
           as score
  from selecting, corpus, chunks c
  cross join lateral unnest(c.words) w
  join terms using (lexeme)
  cross join lateral (
    select cardinality(w.positions) + cardinality(array_positions(w.weights, 'A')) as tf
  ) counted
  where c.words @@ selecting.query
  group by c.id
  order by score desc, c.id
  limit 200
), pairs as (
  select distinct tsquery_phrase(one.query, two.query) as query
  from asked one, unnest(one.positions) at_one, asked two, unnest(two.positions) at_two
  where at_two = at_one + 1
), paired as (
  select best.id, count(*) over (partition by pairs.query) as df,
         (select count(*) from best) as among
  from best join pairs on best.words @@ pairs.query
), gained as (
  select id, sum(ln(1 + (among - df + 0.5) / (df + 0.5))) as score from paired group by id
)
select best.id, best.score + coalesce(gained.score, 0) as score
from best left join gained using (id)
order by score desc, best.id
limit :depth
""")

NEAREST = text("""
select chunk_id as id from embeddings where model = :model
order by vector <=> cast(:vector as vector), chunk_id limit :depth
""")

PASSAGE = text("""
select c.id, c.document_id, d.source, d.title, d.uri, c.heading, c.text
from chunks c join documents d on d.id = c.document_id where c.id = any(:ids)
""")


class Retrieval:
    """Searches the store.

    Args:
        vectors: None when no embedding model is configured.
    """

    def __init__(self, database: Database, vectors: Vectors | None = None) -> None:
        self._database = database
        self._vectors = vectors

    async def search(self, question: str, *, timeout_s: float) -> tuple[Passage, ...]:
        """Up to `PASSAGES` passages, best first.

        Raises:
            StoreError: The database failed. An embedding model that fails is only logged.
        """
        rankings = await asyncio.gather(
            self._by_words(question), self._by_vector(question, timeout_s)
        )
        found = await self._passages(fuse(rankings))
        return spread(found)[:PASSAGES]

    async def _by_words(self, question: str) -> list[str]:
        async with self._database.begin() as connection:
            rows = await connection.execute(
                FULL_TEXT, {"question": storable(question), "depth": DEPTH}
            )
            return [row.id for row in rows]

    async def _by_vector(self, question: str, timeout_s: float) -> list[str]:
        if self._vectors is None:
            return []
        try:
            vector = await self._vectors.of_question(question, timeout_s)
        except ProviderError as error:
            log.warning("embedding_failed", error=str(error))
            return []
        async with self._database.begin() as connection:
            values = {"model": self._vectors.name, "vector": str(vector), "depth": DEPTH}
            rows = await connection.execute(NEAREST, values)
            return [row.id for row in rows]

    async def _passages(self, ids: Sequence[str]) -> tuple[Passage, ...]:
        async with self._database.begin() as connection:
            rows = await connection.execute(PASSAGE, {"ids": list(ids)})
            found = {row.id: Passage(**row._mapping) for row in rows}
        return tuple(found[id_] for id_ in ids if id_ in found)


def spread(passages: Sequence[Passage]) -> tuple[Passage, ...]:
    """Put what is more than `PER_DOCUMENT` of one document behind the others, in order."""
    seen: Counter[str] = Counter()
    first: list[Passage] = []
    rest: list[Passage] = []
    for passage in passages:
        seen[passage.document_id] += 1
        (first if seen[passage.document_id] <= PER_DOCUMENT else rest).append(passage)
    return (*first, *rest)


def fuse(rankings: Sequence[Sequence[str]]) -> list[str]:
    """Merge rankings by reciprocal rank; ties keep the order of the first ranking."""
    scores: dict[str, float] = defaultdict(float)
    for ranking in rankings:
        for rank, id_ in enumerate(ranking, start=1):
            scores[id_] += 1 / (RRF_K + rank)
    return sorted(scores, key=lambda id_: -scores[id_])
