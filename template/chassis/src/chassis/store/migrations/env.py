"""Alembic's entry: run the migrations on the connection that `chassis.store.migrate` opened."""

from alembic import context

from chassis.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table="chassis_migrations",
    compare_server_default=False,
)
with context.begin_transaction():
    context.run_migrations()
