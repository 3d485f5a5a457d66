"""Documents, their chunks and the state of their sources."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ARRAY, Text, any_, bindparam, delete, func, not_, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import ColumnElement

from ..ports import Chunk, Document
from . import tables
from .database import Database

RETRY_AFTER = "1 hour"


@dataclass(frozen=True, slots=True)
class SourceState:
    """How a source's last readings went."""

    name: str
    read_at: datetime | None
    error: str | None
    documents: int = 0
    unreadable: int = 0


class DocumentStore:
    """What was read from the sources."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def alone(self, work: str) -> AsyncIterator[bool]:
        """Let one process at a time do `work`; yields False when another one does it."""
        lock = func.hashtext(work)
        async with self._database.own_connection() as connection:
            yield bool(await connection.scalar(select(func.pg_try_advisory_lock(lock))))

    async def fingerprints(self, source: str) -> dict[str, str]:
        """The fingerprint of each document of a source, by document id.

        Empty for those that could not be read for `RETRY_AFTER`: what failed may have been the
        network.
        """
        query = text(
            "select id, case when error is not null and read_at < now() - cast(:after as interval)"
            " then '' else fingerprint end as fingerprint from documents where source = :source"
        )
        async with self._database.begin() as connection:
            rows = await connection.execute(query, {"source": source, "after": RETRY_AFTER})
            return {row.id: row.fingerprint for row in rows}

    async def replace(
        self,
        source: str,
        document_id: str,
        fingerprint: str,
        document: Document,
        chunks: Sequence[Chunk],
    ) -> None:
        """Put a document and its chunks in the place of what was there under `document_id`.

        Chunks whose text did not change keep their row, and with it their vectors.
        """
        row = {
            "id": document_id,
            "source": source,
            "title": document.title,
            "uri": document.uri,
            "text": document.text,
            "fingerprint": fingerprint,
            "updated_at": document.updated_at,
            "error": None,
        }
        async with self._database.begin() as connection:
            await self._put(connection, row)
            await self._put_chunks(connection, document_id, chunks)

    async def refuse(self, source: str, document_id: str, fingerprint: str, error: str) -> None:
        """Record that a document could not be read; nothing is answered from it."""
        row = {
            "id": document_id,
            "source": source,
            "title": document_id,
            "uri": "",
            "text": "",
            "fingerprint": fingerprint,
            "updated_at": None,
            "error": error,
        }
        async with self._database.begin() as connection:
            await self._put(connection, row)
            await self._put_chunks(connection, document_id, [])

    async def remove(self, document_ids: Iterable[str]) -> None:
        """Forget documents, their chunks and vectors."""
        gone = list(document_ids)
        async with self._database.begin() as connection:
            await connection.execute(
                delete(tables.documents).where(is_among(tables.documents.c.id, gone))
            )

    async def forget_other_sources(self, configured: Iterable[str]) -> int:
        """Forget the documents of sources that are not configured any more; return how many."""
        names = list(configured)
        async with self._database.begin() as connection:
            gone = await connection.execute(
                delete(tables.documents).where(tables.documents.c.source.not_in(names))
            )
            await connection.execute(
                delete(tables.sources).where(tables.sources.c.name.not_in(names))
            )
            return gone.rowcount

    async def record(self, source: str, error: str | None = None) -> None:
        """Write down that a source was read to the end, or why it was not."""
        done = {"read_at": func.now(), "failed_at": None, "error": None}
        failed = {"failed_at": func.now(), "error": error}
        values = done if error is None else failed
        statement = insert(tables.sources).values(name=source, **values)
        async with self._database.begin() as connection:
            await connection.execute(
                statement.on_conflict_do_update(index_elements=["name"], set_=values)
            )

    async def statistics_are_old(self) -> bool:
        """Whether documents were stored after the words were counted, e.g. before a crash."""
        query = text(
            "select coalesce(max(documents.read_at) > corpus.counted_at, false)"
            " or corpus.chunks <> (select count(*) from chunks)"
            " from corpus left join documents on true group by corpus.counted_at, corpus.chunks"
        )
        async with self._database.begin() as connection:
            return bool(await connection.scalar(query))

    async def refresh_statistics(self) -> None:
        """Count the words again; ranking needs it after documents have changed.

        Questions are answered meanwhile, from the old counts.
        """
        async with self._database.begin() as connection:
            await connection.execute(text("refresh materialized view concurrently lexemes"))
            await connection.execute(text("refresh materialized view concurrently corpus"))

    async def states(self) -> dict[str, SourceState]:
        """The state of every source that was ever read, by name."""
        query = text(
            "select s.name, s.read_at, s.error, count(d.id) as documents,"
            " count(d.error) as unreadable"
            " from sources s left join documents d on d.source = s.name group by s.name"
        )
        async with self._database.begin() as connection:
            rows = await connection.execute(query)
            return {row.name: SourceState(**row._mapping) for row in rows}

    async def without_vector(self, model: str, limit: int) -> list[tuple[str, str]]:
        """Up to `limit` chunks, as `(id, heading and text)`, that `model` has not embedded."""
        query = text(
            "select c.id, c.heading || E'\\n' || c.text as text from chunks c"
            " where not exists (select 1 from embeddings e"
            " where e.chunk_id = c.id and e.model = :model) order by c.id limit :limit"
        )
        async with self._database.begin() as connection:
            rows = await connection.execute(query, {"model": model, "limit": limit})
            return [(row.id, row.text) for row in rows]

    async def add_vectors(self, model: str, vectors: dict[str, list[float]]) -> None:
        """Store one vector per chunk id; chunks removed meanwhile are left out."""
        rows = [
            {"chunk_id": chunk_id, "model": model, "vector": vector}
            for chunk_id, vector in vectors.items()
        ]
        async with self._database.begin() as connection:
            known = select(tables.chunks.c.id).where(is_among(tables.chunks.c.id, list(vectors)))
            present = set(await connection.scalars(known.with_for_update(key_share=True)))
            rows = [row for row in rows if row["chunk_id"] in present]
            if rows:
                await connection.execute(insert(tables.embeddings).on_conflict_do_nothing(), rows)

    async def _put(self, connection: AsyncConnection, row: Mapping[str, object]) -> None:
        statement = insert(tables.documents).values(**row)
        changed = {**row, "read_at": func.now()}
        await connection.execute(
            statement.on_conflict_do_update(index_elements=["id"], set_=changed)
        )

    async def _put_chunks(
        self, connection: AsyncConnection, document_id: str, chunks: Sequence[Chunk]
    ) -> None:
        kept = [chunk.id for chunk in chunks]
        await connection.execute(
            delete(tables.chunks)
            .where(tables.chunks.c.document_id == document_id)
            .where(not_(is_among(tables.chunks.c.id, kept)))
        )
        if not chunks:
            return
        statement = insert(tables.chunks)
        await connection.execute(
            statement.on_conflict_do_update(
                index_elements=["id"],
                set_={
                    name: statement.excluded[name]
                    for name in ("start_char", "end_char", "heading", "length")
                },
            ),
            [
                {
                    "id": chunk.id,
                    "document_id": document_id,
                    "start_char": chunk.start,
                    "end_char": chunk.end,
                    "heading": chunk.heading,
                    "text": chunk.text,
                    "length": chunk.length,
                }
                for chunk in chunks
            ],
        )


def is_among(column: ColumnElement[str], values: Sequence[str]) -> ColumnElement[bool]:
    """Whether a column has one of these values; as one parameter, of which 65,535 is the most."""
    return column == any_(bindparam(None, list(values), ARRAY(Text)))
