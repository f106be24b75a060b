"""Run by alembic: every migration on the connection that `upgrade` was given."""

from alembic import context
from sqlmodel import SQLModel

import node.store.chain_tables
import node.store.consent_tables
import node.store.login_tables
import node.store.money_tables
import node.store.operator_tables
import node.store.transaction_tables
import node.store.vault_tables  # noqa: F401  declares the tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
