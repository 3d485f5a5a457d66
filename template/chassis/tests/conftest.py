"""Makes the package `team` and the helpers beside it importable; a store for one test."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chassis.store.database import Database
from chassis.store.documents import DocumentStore

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Connections to a database of the test's own."""
    opened = Database(database_url, connections=4)
    yield opened
    await opened.aclose()


@pytest.fixture
def store(database: Database) -> DocumentStore:
    """An empty store."""
    return DocumentStore(database)
