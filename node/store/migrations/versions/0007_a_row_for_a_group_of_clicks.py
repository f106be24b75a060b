"""A row for a group of clicks

Clicks that wait are carried over, in order: a run of neighbours of one month becomes a group.
"""

from itertools import groupby, islice
from struct import pack

import sqlalchemy as sa
from alembic import op

from node.store.dialect import functions

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

CLICKS_A_GROUP = 1000


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        op.execute("DROP FUNCTION write_clicks")
        op.execute("ALTER TABLE flattr_inbox RENAME CONSTRAINT flattr_inbox_pkey TO old_pkey")
        op.execute("ALTER SEQUENCE flattr_inbox_id_seq RENAME TO old_id_seq")
    op.rename_table("flattr_inbox", "old_inbox")
    inbox = op.create_table(
        "flattr_inbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("month", sa.Integer(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("clicks", sa.LargeBinary(), nullable=False),
        sa.Column("keys", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    waiting = connection.execute(
        sa.text("SELECT month, at_us, member, thing, op, request FROM old_inbox ORDER BY id")
    )
    for month, rows in groupby(waiting, key=lambda row: row.month):
        while some := list(islice(rows, CLICKS_A_GROUP)):
            keyed = [(place, row.request) for place, row in enumerate(some) if row.request]
            group = {
                "month": month,
                "at_us": some[-1].at_us,
                "clicks": b"".join(pack("<IIB", row.member, row.thing, row.op) for row in some),
                "keys": b"".join(pack("<I32s", *one) for one in keyed) or None,
            }
            connection.execute(inbox.insert(), group)
    op.drop_table("old_inbox")
    for statement in functions(connection.dialect.name):
        op.execute(statement.replace(":", "\\:"))
