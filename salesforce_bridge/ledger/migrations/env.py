"""Runs migrations over the connection that the ledger hands in; there is no other way to run them."""

from alembic import context

from salesforce_bridge.ledger.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
