"""Transactions of the node's key"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    text = sqlmodel.sql.sqltypes.AutoString
    op.create_table(
        "chain_transaction",
        sa.Column("purpose", text(), autoincrement=False, nullable=False),
        sa.Column("sender", text(), nullable=False),
        sa.Column("recipient", text(), nullable=False),
        sa.Column("calldata", sa.LargeBinary(), nullable=False),
        sa.Column("state", text(), nullable=False),
        sa.Column("nonce", sa.BigInteger(), nullable=True),
        sa.Column("reason", text(), nullable=True),
        sa.Column("tx_hash", text(), nullable=True),
        sa.Column("block_number", sa.BigInteger(), nullable=True),
        sa.Column("block_hash", text(), nullable=True),
        sa.Column("cost_wei", sa.BigInteger(), nullable=True),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("nonce IS NOT NULL OR state IN ('due', 'done')"),
        sa.PrimaryKeyConstraint("purpose"),
        sa.UniqueConstraint("sender", "nonce"),
    )
    op.create_index("transaction_open", "chain_transaction", ["sender", "state"])
    op.create_table(
        "signed_transaction",
        sa.Column("tx_hash", text(), autoincrement=False, nullable=False),
        sa.Column("purpose", text(), nullable=False),
        sa.Column("nonce", sa.BigInteger(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("gas", sa.BigInteger(), nullable=False),
        sa.Column("tip_wei", sa.BigInteger(), nullable=False),
        sa.Column("cap_wei", sa.BigInteger(), nullable=False),
        sa.Column("signed_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["purpose"], ["chain_transaction.purpose"]),
        sa.PrimaryKeyConstraint("tx_hash"),
    )
    op.create_index("signed_for", "signed_transaction", ["purpose"])
