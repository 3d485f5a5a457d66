"""Connections to the store."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from ..errors import ConfigError, StoreError

WANTED_URL = "DATABASE_URL must look like postgresql://user:password@host:5432/database"
POOL_WAIT_S = 2
CONNECT_S = 5
CONNECT = {
    "connect_timeout": CONNECT_S,
    # A server that is gone without a word is noticed in seconds, not in the system's minutes.
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}


def driver_url(database_url: str) -> str:
    """Name the driver in a URL as hosting providers hand it out (`postgres://...`).

    Raises:
        ConfigError: It is no URL of a Postgres server; the message does not show it.
    """
    scheme, _, rest = database_url.partition("://")
    made = f"postgresql+psycopg://{rest}"
    if scheme.partition("+")[0] not in ("postgres", "postgresql"):
        raise ConfigError(WANTED_URL)
    try:
        make_url(made)
    except (ValueError, ArgumentError):
        raise ConfigError(WANTED_URL) from None
    return made


class Database:
    """A pool of connections.

    Args:
        url: Any libpq URL.
        connections: Most that are open at once, besides those of `own_connection`.
    """

    def __init__(self, url: str, connections: int = 5) -> None:
        self._engine: AsyncEngine = create_async_engine(
            driver_url(url),
            pool_size=connections,
            max_overflow=0,
            pool_timeout=POOL_WAIT_S,
            pool_pre_ping=True,
            connect_args=CONNECT,
        )
        self._unpooled = create_async_engine(
            driver_url(url), poolclass=NullPool, connect_args=CONNECT
        )

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: committed at the end, rolled back on any error.

        Raises:
            StoreError: The database cannot be reached or refuses a statement.
        """
        with store_errors():
            async with self._engine.begin() as connection:
                yield connection

    @asynccontextmanager
    async def own_connection(self) -> AsyncIterator[AsyncConnection]:
        """A connection for what outlives many transactions; what it locks ends with it.

        It is not one of the pool's: a few long readings would leave none for answers.

        Raises:
            StoreError: The database cannot be reached or refuses a statement.
        """
        with store_errors():
            async with self._unpooled.connect() as connection:
                yield await connection.execution_options(isolation_level="AUTOCOMMIT")

    async def aclose(self) -> None:
        """Close every connection."""
        await self._engine.dispose()


@contextmanager
def store_errors() -> Iterator[None]:
    """Turn the driver's errors into ours; their text may hold what was being stored."""
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        raise StoreError(f"the database failed: {type(error).__name__}") from error


def storable(text: str) -> str:
    """A text without NUL and half characters, which Postgres and its driver refuse."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()
