"""The one store: Postgres with pgvector."""
