"""Read the sources: only what changed, and forget what is gone."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from ..errors import ProviderError, SourceError
from ..ports import Entry, Source
from ..retrieval.vectors import Vectors
from ..store.documents import DocumentStore
from .chunking import chunk

AT_ONCE = 4
"""Documents of one source that are read side by side."""

Progress = Callable[[str, int, int], None]
"""Called with the source's name, documents done and documents to do."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one reading of a source did. Counts are documents.

    Attributes:
        unreadable: Why each document that could not be read could not, by id.
        error: Why the source could not be listed; then nothing else happened.
    """

    source: str
    read: int = 0
    unchanged: int = 0
    removed: int = 0
    unreadable: Mapping[str, str] = field(default_factory=dict)
    error: str | None = None


async def ingest(
    sources: Mapping[str, Source],
    store: DocumentStore,
    vectors: Vectors | None,
    *,
    only: Sequence[str] = (),
    progress: Progress = lambda name, done, total: None,
) -> list[Outcome]:
    """Read every source, or those named in `only`, and refresh what ranking needs.

    A source that fails does not stop the others.
    """
    names = only or list(sources)
    outcomes = [await ingest_one(name, sources[name], store, progress) for name in names]
    forgotten = await store.forget_other_sources(sources)
    if forgotten or any(made.read or made.removed or made.unreadable for made in outcomes):
        await store.refresh_statistics()
    if vectors:
        try:
            await vectors.fill()
        except ProviderError as error:
            # Answers go on from full text; the next reading tries again.
            log.warning("embedding_failed", error=str(error))
    return outcomes


async def ingest_one(
    name: str, source: Source, store: DocumentStore, progress: Progress
) -> Outcome:
    """Read one source and record how it went."""
    async with store.reading(name) as alone:
        if not alone:
            return Outcome(name, error="another process is reading it")
        try:
            listed = {f"{name}/{entry.id}": entry async for entry in source.entries()}
        except SourceError as error:
            await store.record(name, str(error))
            log.warning("source_failed", source=name, error=str(error))
            return Outcome(name, error=str(error))
        known = await store.fingerprints(name)
        changed = {
            document_id: entry
            for document_id, entry in listed.items()
            if known.get(document_id) != entry.fingerprint
        }
        gone = known.keys() - listed.keys()
        await store.remove(gone)
        unreadable = await read_all(name, source, store, changed, progress)
        await store.record(name)
    return Outcome(
        name,
        read=len(changed) - len(unreadable),
        unchanged=len(listed) - len(changed),
        removed=len(gone),
        unreadable=unreadable,
    )


async def read_all(
    name: str,
    source: Source,
    store: DocumentStore,
    entries: Mapping[str, Entry],
    progress: Progress,
) -> dict[str, str]:
    """Read, cut and store documents; return why the unreadable ones are, by id."""
    unreadable: dict[str, str] = {}
    places = asyncio.Semaphore(AT_ONCE)
    done = 0

    async def read_one(document_id: str, entry: Entry) -> None:
        nonlocal done
        async with places:
            try:
                await read_document(name, source, store, document_id, entry)
            except SourceError as error:
                unreadable[document_id] = str(error)
                await store.refuse(name, document_id, entry.fingerprint, str(error))
                log.warning("document_unreadable", document=document_id, error=str(error))
        done += 1
        progress(name, done, len(entries))

    async with asyncio.TaskGroup() as readers:
        for document_id, entry in entries.items():
            readers.create_task(read_one(document_id, entry))
    return unreadable


async def read_document(
    name: str, source: Source, store: DocumentStore, document_id: str, entry: Entry
) -> None:
    """Put one document into the store."""
    document = await source.read(entry)
    chunks = chunk(document_id, document.title, document.text)
    await store.replace(name, document_id, entry.fingerprint, document, chunks)
