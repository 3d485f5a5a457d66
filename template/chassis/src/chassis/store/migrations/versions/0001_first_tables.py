"""First tables."""

import sqlalchemy as sa
from alembic import op
from pgvector.sqlalchemy import Vector
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

NOW = sa.text("now()")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute("create extension if not exists vector")
    op.create_table(
        "sources",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("read_at", MOMENT, comment="end of the last complete reading"),
        sa.Column("failed_at", MOMENT, comment="set while the last reading failed"),
        sa.Column("error", sa.Text),
    )
    op.create_table(
        "documents",
        sa.Column("id", sa.Text, primary_key=True, comment="<source>/<the source's own id>"),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("uri", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("updated_at", MOMENT),
        sa.Column("read_at", MOMENT, nullable=False, server_default=NOW),
        sa.Column("error", sa.Text, comment="why it could not be read; then it has no chunks"),
    )
    op.create_index("ix_documents_source", "documents", ["source"])
    op.create_table(
        "chunks",
        sa.Column(
            "id",
            sa.Text,
            primary_key=True,
            comment="hash of document and text: stable over readings",
        ),
        sa.Column(
            "document_id",
            sa.Text,
            sa.ForeignKey("documents.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("start_char", sa.Integer, nullable=False),
        sa.Column("end_char", sa.Integer, nullable=False),
        sa.Column("heading", sa.Text, nullable=False, comment="title and headings above it"),
        sa.Column("text", sa.Text, nullable=False, comment="documents.text[start_char:end_char]"),
        sa.Column(
            "words",
            postgresql.TSVECTOR,
            sa.Computed(
                "setweight(to_tsvector('english', heading), 'A') || to_tsvector('english', text)",
                persisted=True,
            ),
            nullable=False,
        ),
        sa.Column("length", sa.Integer, nullable=False, comment="words in heading and text"),
    )
    op.create_index("ix_chunks_document_id", "chunks", ["document_id"])
    op.create_index("ix_chunks_words", "chunks", ["words"], postgresql_using="gin")
    # A refresh runs with an empty search path, hence the schema.
    schema = op.get_bind().scalar(sa.text("select quote_ident(current_schema())"))
    op.execute(
        "create materialized view lexemes as"
        f" select word as lexeme, ndoc as chunks from ts_stat('select words from {schema}.chunks')"
    )
    op.execute("create unique index ix_lexemes_lexeme on lexemes (lexeme)")
    op.execute(
        "create materialized view corpus as"
        " select count(*) as chunks, coalesce(avg(length), 0)::float as mean_length,"
        " now() as counted_at from chunks"
    )
    op.execute("create unique index ix_corpus_chunks on corpus (chunks)")
    op.create_table(
        "embeddings",
        sa.Column(
            "chunk_id",
            sa.Text,
            sa.ForeignKey("chunks.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("model", sa.Text, primary_key=True),
        sa.Column("vector", Vector(), nullable=False),
    )
    op.create_table(
        "answers",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("created_at", MOMENT, nullable=False, server_default=NOW),
        sa.Column("conversation_id", sa.Text),
        sa.Column("trace_id", sa.Text, nullable=False),
        sa.Column("answer_kind", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("provider", sa.Text),
        sa.Column("model", sa.Text),
        sa.Column("variant", sa.Text),
        sa.Column("prompt_version", sa.Text),
        sa.Column("input_tokens", sa.Integer, nullable=False),
        sa.Column("output_tokens", sa.Integer, nullable=False),
        sa.Column("cost_usd", sa.Float, nullable=False),
        sa.Column("timings_ms", postgresql.JSONB, nullable=False),
    )
    op.create_table(
        "feedback",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "answer_id",
            sa.Text,
            sa.ForeignKey("answers.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("created_at", MOMENT, nullable=False, server_default=NOW),
        sa.Column("rating", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("comment", sa.Text),
        sa.CheckConstraint("rating in ('up', 'down')", name="rating"),
    )
    op.create_index("ix_feedback_answer_id", "feedback", ["answer_id"])


def downgrade() -> None:
    for view in ("corpus", "lexemes"):
        op.execute(f"drop materialized view {view}")
    for table in ("feedback", "answers", "embeddings", "chunks", "documents", "sources"):
        op.drop_table(table)
