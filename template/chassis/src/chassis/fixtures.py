"""Fixtures of every test in a project; pytest.ini loads them as a plugin."""

from collections.abc import Iterator

import pytest

from .testing import database, database_server, empty, migrated_database


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """A Postgres server."""
    with database_server() as url:
        yield url


@pytest.fixture(scope="session")
def template_database(server_url: str) -> Iterator[str]:
    """The name of a migrated database."""
    with migrated_database(server_url) as name:
        yield name


@pytest.fixture(scope="session")
def migrated_url(server_url: str, template_database: str) -> Iterator[str]:
    """What `database_url` is made of."""
    with database(server_url, template_database) as url:
        yield url


@pytest.fixture
def database_url(migrated_url: str) -> Iterator[str]:
    """A database with all tables and nothing in them."""
    yield migrated_url
    empty(migrated_url)
