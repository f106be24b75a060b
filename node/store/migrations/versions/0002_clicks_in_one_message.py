"""Clicks in one message"""

from alembic import op

from node.store.dialect import functions

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in functions(op.get_bind().dialect.name):
        op.execute(statement.replace(":", "\\:"))
