"""The tables. A change here needs a migration; a test compares the two."""

from datetime import datetime
from typing import Any

from pgvector.sqlalchemy import Vector
from sqlalchemy import (
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def moment(name: str, **options: Any) -> Column[datetime]:
    """A point in time, with its zone."""
    return Column(name, DateTime(timezone=True), **options)


sources = Table(
    "sources",
    metadata,
    Column("name", Text, primary_key=True),
    moment("read_at", comment="end of the last complete reading"),
    moment("failed_at", comment="set while the last reading failed"),
    Column("error", Text),
)

documents = Table(
    "documents",
    metadata,
    Column("id", Text, primary_key=True, comment="<source>/<the source's own id>"),
    Column("source", Text, nullable=False, index=True),
    Column("title", Text, nullable=False),
    Column("uri", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    moment("updated_at"),
    moment("read_at", nullable=False, server_default=func.now()),
    Column("error", Text, comment="why it could not be read; then it has no chunks"),
)

chunks = Table(
    "chunks",
    metadata,
    Column("id", Text, primary_key=True, comment="hash of document and text: stable over readings"),
    Column(
        "document_id", ForeignKey("documents.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("start_char", Integer, nullable=False),
    Column("end_char", Integer, nullable=False),
    Column("heading", Text, nullable=False, comment="title and headings above it"),
    Column("text", Text, nullable=False, comment="documents.text[start_char:end_char]"),
    Column(
        "words",
        TSVECTOR,
        Computed(
            "setweight(to_tsvector('english', heading), 'A') || to_tsvector('english', text)",
            persisted=True,
        ),
        nullable=False,
    ),
    Column("length", Integer, nullable=False, comment="words in heading and text"),
    Index("ix_chunks_words", "words", postgresql_using="gin"),
)

embeddings = Table(
    "embeddings",
    metadata,
    Column("chunk_id", ForeignKey("chunks.id", ondelete="CASCADE"), primary_key=True),
    Column("model", Text, primary_key=True),
    Column("vector", Vector(), nullable=False),
)

answers = Table(
    "answers",
    metadata,
    Column("id", Text, primary_key=True),
    moment("created_at", nullable=False, server_default=func.now()),
    Column("conversation_id", Text),
    Column("trace_id", Text, nullable=False),
    Column("answer_kind", Text, nullable=False),
    Column("reason", Text),
    Column("provider", Text),
    Column("model", Text),
    Column("variant", Text),
    Column("prompt_version", Text),
    Column("input_tokens", Integer, nullable=False),
    Column("output_tokens", Integer, nullable=False),
    Column("cost_usd", Float, nullable=False),
    Column("timings_ms", JSONB, nullable=False),
)

feedback = Table(
    "feedback",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("answer_id", ForeignKey("answers.id", ondelete="CASCADE"), nullable=False, index=True),
    moment("created_at", nullable=False, server_default=func.now()),
    Column("rating", Text, CheckConstraint("rating in ('up', 'down')", name="rating")),
    Column("reason", Text),
    Column("comment", Text),
)
