"""Months on the vault"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    text = sqlmodel.sql.sqltypes.AutoString
    op.create_table(
        "vault_month",
        sa.Column("month", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("vault", text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("gross", sa.BigInteger(), nullable=True),
        sa.Column("data_hash", text(), nullable=True),
        sa.Column("paid_us", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("gross >= 0"),
        sa.PrimaryKeyConstraint("month"),
        sa.UniqueConstraint("chain_id", "vault", "number"),
    )
