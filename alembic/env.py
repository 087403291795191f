"""Run migrations on the connection that ``retention init`` opens; alembic never chooses the database."""

from __future__ import annotations

from alembic import context
from retention.audit.tables import metadata as audit_tables
from retention.store.tables_service import metadata as store_tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=[store_tables, audit_tables],
    transactional_ddl=True,
    transaction_per_migration=True,
)

with context.begin_transaction():
    context.run_migrations()
