"""The chain's money: linked addresses, and the vault's events"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "chain_block",
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hash", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("time_s", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("chain_id", "number"),
    )
    op.create_table(
        "chain_event",
        sa.Column("id", sqlmodel.sql.sqltypes.AutoString(), autoincrement=False, nullable=False),
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("tx_hash", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("time_s", sa.BigInteger(), nullable=False),
        sa.Column("kind", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("address", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("state", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.CheckConstraint("units >= 0"),
        sa.CheckConstraint("state IN ('pending', 'seen', 'credited', 'refused')"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("chain_id", "tx_hash", "log_index"),
    )
    with op.batch_alter_table("chain_event", schema=None) as batch_op:
        batch_op.create_index(
            "chain_event_of_address", ["chain_id", "address", "block_number"], unique=False
        )
        batch_op.create_index(
            "chain_event_in_state", ["chain_id", "state", "block_number"], unique=False
        )

    op.create_table(
        "chain_address",
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "address", sqlmodel.sql.sqltypes.AutoString(), autoincrement=False, nullable=False
        ),
        sa.Column("member", sa.Integer(), nullable=False),
        sa.Column("linked_us", sa.BigInteger(), nullable=False),
        sa.Column("pot_units", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("pot_units >= 0"),
        sa.ForeignKeyConstraint(
            ["member"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("chain_id", "address"),
        sa.UniqueConstraint("chain_id", "member"),
    )
    op.create_table(
        "link_challenge",
        sa.Column(
            "nonce_hash", sqlmodel.sql.sqltypes.AutoString(), autoincrement=False, nullable=False
        ),
        sa.Column("member", sa.Integer(), nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("nonce_hash"),
    )
    with op.batch_alter_table("link_challenge", schema=None) as batch_op:
        batch_op.create_index("challenge_of_member", ["member"], unique=False)
