"""What tests of a service need: settings, a database, and parts that do as they are told.

`Script` and `Counting` are stand-ins at the ports, for behaviour that no real provider or
source shows on demand; the wire formats are tested against servers on real sockets, in
`chassis.simulator`.
"""

import asyncio
import os
import tempfile
import uuid
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from .app import App, open_app
from .errors import SourceError
from .ports import Completion, Delta, Document, Entry, Prompt
from .secrets import Secrets
from .settings import Settings
from .store import embedded
from .store.migrate import migrate
from .store.tables import metadata

SERVER_VARIABLE = "TEST_DATABASE_URL"
"""A Postgres server for tests; without it the embedded one is used."""


@contextmanager
def database_server() -> Iterator[str]:
    """The URL of a server on which tests may create databases."""
    if url := os.environ.get(SERVER_VARIABLE):
        yield url
        return
    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        yield embedded.start(Path(folder) / "data", temporary=True)


@contextmanager
def database(server_url: str, template: str | None = None) -> Iterator[str]:
    """A database of its own on a server, as a copy of `template` if given; dropped at the end."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    copied = sql.SQL(" template {}").format(sql.Identifier(template)) if template else sql.SQL("")
    with psycopg.connect(server_url, autocommit=True) as server:
        server.execute(sql.SQL("create database {}").format(sql.Identifier(name)) + copied)
        try:
            yield with_database(server_url, name)
        finally:
            server.execute(
                sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
            )


def with_database(url: str, name: str) -> str:
    """The same server's URL with another database."""
    return urlsplit(url)._replace(path=f"/{name}").geturl()


@contextmanager
def migrated_database(server_url: str) -> Iterator[str]:
    """The name of a database with all tables, to copy tests' databases from."""
    with database(server_url) as url:
        migrate(url)
        yield urlsplit(url).path.removeprefix("/")


def empty(url: str) -> None:
    """Cut all connections of a database and empty its tables: 20 ms, where a new one takes 300."""
    names = sql.SQL(", ").join(sql.Identifier(name) for name in metadata.tables)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
        connection.execute(sql.SQL("truncate {} restart identity").format(names))
        connection.execute("refresh materialized view lexemes")
        connection.execute("refresh materialized view corpus")


CANDIDATE: dict[str, Any] = {
    "latency_p50_ms": 1200,
    "latency_p95_ms": 3000,
    "first_token_p95_ms": 1500,
    "tokens_per_s_p5": 50,
    "input_usd_per_mtok": 1.0,
    "output_usd_per_mtok": 5.0,
    "checked_on": "2026-11-24",
}


def make_settings(
    *,
    candidates: Sequence[tuple[str, str]] = (),
    providers: dict[str, dict[str, Any]] | None = None,
    **changed: dict[str, Any],
) -> Settings:
    """Settings of a small service.

    Args:
        candidates: `(provider, model)` of the answer route, in order.
        providers: `[providers.*]` tables; those of the candidates are there anyway.
        changed: Keys of objectives' tables, e.g. `latency={"p95_ms": 900}`, and the sections
            `sources` and `embeddings`.
    """
    objectives: dict[str, dict[str, Any]] = {
        "service": {"name": "Test", "slug": "test", "purpose": "Answers in tests."},
        "latency": {"p95_ms": 8000, "streamed": True, "first_token_ms": 2500},
        "answer": {"typical_tokens": 250},
        "availability": {
            "target": 0.99,
            "degraded_mode": "sources_only",
            "degraded_counts": True,
        },
        "load": {"peak_rps": 5},
        "platform": {"replicas": 2, "zones": 1, "database_uptime": 0.9995},
    }
    for table in objectives.keys() & changed.keys():
        objectives[table] |= changed[table]
    tables: dict[str, dict[str, Any]] = {provider: {} for provider, _ in candidates}
    models = {
        "providers": tables | (providers or {}),
        "routes": {
            "answer": {
                "prompt": "answer",
                "candidates": [
                    {"provider": provider, "model": model, **CANDIDATE}
                    for provider, model in candidates
                ],
            }
        },
        "embeddings": changed.get("embeddings"),
    }
    return Settings(
        env="test", objectives=objectives, models=models, sources=changed.get("sources", {})
    )


@asynccontextmanager
async def opened(
    package: str, settings: Settings, database_url: str, **secrets: str
) -> AsyncIterator[App]:
    """The app of a package, with these secrets and no others."""
    store = Secrets(secrets, folder=Path("/nonexistent"))
    async with open_app(package, settings, store, database_url) as app:
        yield app


class Script:
    """A provider that does what it is told, one step a call; the last step is repeated.

    A step is a text to write, an exception to raise, or a number of seconds to hang.
    """

    def __init__(self, *steps: str | Exception | float, finish_reason: str | None = "stop") -> None:
        self.steps = list(steps)
        self.finish_reason = finish_reason
        self.prompts: list[Prompt] = []
        self.cancelled = 0
        self.max_tokens: list[int] = []
        self.embedded: list[str] = []
        self.embedding_fails: Exception | None = None

    async def stream(
        self, model: str, prompt: Prompt, *, max_tokens: int, timeout_s: float
    ) -> AsyncGenerator[Delta | Completion]:
        """See `chassis.ports.Provider`."""
        self.prompts.append(prompt)
        self.max_tokens.append(max_tokens)
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        if isinstance(step, Exception):
            raise step
        if isinstance(step, float):
            try:
                await asyncio.sleep(step)
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
            step = "late [1]"
        for word in step.split(" "):
            yield Delta(word + " ")
        yield Completion(step, model, self.finish_reason, input_tokens=100, output_tokens=20)

    async def embed(
        self,
        model: str,
        texts: Sequence[str],
        *,
        dimensions: int,
        kind: Literal["query", "document"],
        timeout_s: float,
    ) -> list[list[float]]:
        """A vector of letter counts: texts with the same letters are near each other."""
        if self.embedding_fails:
            raise self.embedding_fails
        self.embedded += texts
        return [
            [float(text.lower().count(chr(97 + place % 26))) for place in range(dimensions)]
            for text in texts
        ]

    async def aclose(self) -> None:
        """Nothing to close."""


class Counting:
    """A source of documents held in memory that counts what was read.

    Args:
        texts: Text by id; change it between readings. None in the place of a text cannot be read.

    Attributes:
        reads: Ids, in the order read.
        broken: Whether listing fails.
        raises: What reading raises, by id.
    """

    def __init__(self, texts: dict[str, str | None]) -> None:
        self.texts = texts
        self.reads: list[str] = []
        self.broken = False
        self.raises: dict[str, BaseException] = {}

    async def entries(self) -> AsyncIterator[Entry]:
        """See `chassis.ports.Source`."""
        if self.broken:
            raise SourceError("the source is away")
        for name, text in list(self.texts.items()):
            yield Entry(name, str(zlib.crc32((text or "").encode("utf-8", "backslashreplace"))))

    async def read(self, entry: Entry) -> Document:
        """See `chassis.ports.Source`."""
        self.reads.append(entry.id)
        if entry.id in self.raises:
            raise self.raises[entry.id]
        text = self.texts[entry.id]
        if text is None:
            raise SourceError(f"{entry.id} cannot be parsed")
        return Document(entry.id, entry.id, f"memory/{entry.id}", text)
