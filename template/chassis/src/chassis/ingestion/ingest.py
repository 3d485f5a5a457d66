"""Read the sources: only what changed, and forget what is gone."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import structlog

from ..errors import ProviderError, SourceError, StoreError
from ..ports import Entry, Source
from ..retrieval.vectors import Vectors
from ..store.database import storable
from ..store.documents import DocumentStore
from .chunking import chunk
from .markdown import tidy

AT_ONCE = 4
"""Documents of one source that are read side by side."""

MAX_ID_BYTES = 1_000
"""Postgres has no index entries above about 2,700 bytes."""

TIMEOUT_S = 120
"""Longest wait for the next item of a listing, and for one document."""

READING = 1
"""Raise it when parsing or cutting changes: every document is read again then."""

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
    changed = any(made.read or made.removed or made.unreadable for made in outcomes)
    if forgotten or changed or await store.statistics_are_old():
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
    async with store.alone(f"source {name}") as alone:
        if not alone:
            return Outcome(name, error="another process is reading it")
        try:
            listed = await list_entries(name, source)
        except SourceError as error:
            await store.record(name, str(error))
            log.warning("source_failed", source=name, error=str(error))
            return Outcome(name, error=str(error))
        known = await store.fingerprints(name)
        changed = {
            document_id: entry
            for document_id, entry in listed.items()
            if known.get(document_id) != fingerprint(entry)
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


async def list_entries(name: str, source: Source) -> dict[str, Entry]:
    """Everything a source has now, by document id.

    Raises:
        SourceError: The listing failed or stopped; a part of it is worth nothing.
    """
    listed = {}
    with source_errors():
        async with asyncio.timeout(TIMEOUT_S) as patience:
            async for entry in source.entries():
                listed[f"{name}/{entry.id}"] = entry
                patience.reschedule(asyncio.get_running_loop().time() + TIMEOUT_S)
    return listed


@contextmanager
def source_errors() -> Iterator[None]:
    """Make a `SourceError` of whatever a source raises: it must not stop the other sources.

    Raises:
        SourceError: Always, when anything was raised.
    """
    try:
        yield
    except SourceError:
        raise
    except TimeoutError as error:
        raise SourceError(f"nothing came for {TIMEOUT_S} s") from error
    except Exception as error:
        log.exception("source_bug")
        # Its text may hold a URL with a token, and this is shown to people.
        raise SourceError(f"{type(error).__name__}, see the log") from error


def fingerprint(entry: Entry) -> str:
    """What is kept of an entry, to tell at the next reading whether it must be read again."""
    return f"{READING}/{entry.fingerprint}"


async def read_all(
    name: str,
    source: Source,
    store: DocumentStore,
    entries: Mapping[str, Entry],
    progress: Progress,
) -> dict[str, str]:
    """Read, cut and store documents; return why the unreadable ones are, by id."""
    unreadable: dict[str, str] = {}
    waiting = iter(entries.items())
    done = 0

    async def read_on() -> None:
        nonlocal done
        for document_id, entry in waiting:
            try:
                await read_document(name, source, store, document_id, entry)
            except SourceError as error:
                unreadable[document_id] = str(error)
                kept = document_id.encode()[:MAX_ID_BYTES].decode(errors="ignore")
                await store.refuse(name, kept, fingerprint(entry), str(error))
                log.warning("document_unreadable", document=document_id, error=str(error))
            done += 1
            progress(name, done, len(entries))

    try:
        async with asyncio.TaskGroup() as readers:
            for _ in range(AT_ONCE):
                readers.create_task(read_on())
    except* StoreError as failures:
        raise failures.exceptions[0] from failures
    return unreadable


async def read_document(
    name: str, source: Source, store: DocumentStore, document_id: str, entry: Entry
) -> None:
    """Put one document into the store.

    Raises:
        SourceError: It cannot be read.
    """
    if len(document_id.encode()) > MAX_ID_BYTES:
        raise SourceError(f"its name has more than {MAX_ID_BYTES} bytes")
    with source_errors():
        async with asyncio.timeout(TIMEOUT_S):
            document = await source.read(entry)
        title = storable(document.title).strip()
        document = replace(document, title=title, text=tidy(document.text))
        chunks = chunk(document_id, document.title, document.text)
    await store.replace(name, document_id, fingerprint(entry), document, chunks)
