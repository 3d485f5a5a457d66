"""Bring the database to the tables of this version."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from ..errors import StoreError
from .database import driver_url

FOLDER = Path(__file__).parent / "migrations"
LOCK = 1_000_001
"""Number of the advisory lock; replicas that start together migrate one after the other."""


def migrate(database_url: str) -> None:
    """Apply the migrations that are missing; nothing happens when none is.

    Raises:
        StoreError: The database cannot be reached, refuses a migration, or was migrated by a
            newer version of this service.
    """
    engine = create_engine(driver_url(database_url), connect_args={"connect_timeout": 10})
    try:
        with engine.begin() as connection:
            connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            command.upgrade(config(connection), "head")
    except SQLAlchemyError as error:
        raise StoreError(f"the database could not be migrated: {error}") from error
    except CommandError as error:
        raise StoreError(
            f"the database was migrated by another, newer version of this service: {error}; "
            "run that one, or restore the database as it was before"
        ) from error
    finally:
        engine.dispose()


def config(connection: object) -> Config:
    """Alembic's configuration for an open connection."""
    made = Config()
    made.set_main_option("script_location", str(FOLDER))
    made.attributes["connection"] = connection
    return made
