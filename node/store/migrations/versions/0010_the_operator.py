"""The operator"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

from node.store.dialect import log_triggers

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _ways_in()
    text = sqlmodel.sql.sqltypes.AutoString
    op.create_table(
        "close_approval",
        sa.Column("month", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("asset", text(), autoincrement=False, nullable=False),
        sa.Column("actor", text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("month", "asset"),
    )
    op.create_table(
        "operator_log",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("actor", text(), nullable=False),
        sa.Column("act", text(), nullable=False),
        sa.Column("subject", text(), nullable=False),
        sa.Column("words", text(), nullable=False),
        sa.Column("before", text(), nullable=False),
        sa.Column("hash", text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("hash"),
    )
    op.create_table(
        "operator_log_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("hash", text(), nullable=False),
        sa.CheckConstraint("id = 1"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "audit_result",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("result", text(), nullable=False),
        sa.Column("words", text(), nullable=False),
        sa.CheckConstraint("id = 1"),
        sa.PrimaryKeyConstraint("id"),
    )
    for statement in log_triggers(op.get_bind().dialect.name):
        op.execute(statement)


def _ways_in() -> None:
    text = sqlmodel.sql.sqltypes.AutoString
    op.create_table(
        "operator_link",
        sa.Column("hash", text(), autoincrement=False, nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=False),
        sa.Column("used_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_table(
        "operator_passkey",
        sa.Column("id", text(), autoincrement=False, nullable=False),
        sa.Column("name", text(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("signs", sa.BigInteger(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("used_us", sa.BigInteger(), nullable=True),
        sa.Column("ended_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "operator_session",
        sa.Column("hash", text(), autoincrement=False, nullable=False),
        sa.Column("id", text(), nullable=False),
        sa.Column("passkey", text(), nullable=True),
        sa.Column("agent", text(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("seen_us", sa.BigInteger(), nullable=False),
        sa.Column("ended_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["passkey"], ["operator_passkey.id"]),
        sa.PrimaryKeyConstraint("hash"),
        sa.UniqueConstraint("id"),
    )
    op.create_table(
        "operator_challenge",
        sa.Column("hash", text(), autoincrement=False, nullable=False),
        sa.Column("purpose", text(), nullable=False),
        sa.Column("bound", text(), nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hash"),
    )
