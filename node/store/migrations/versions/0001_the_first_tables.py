"""The first tables"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

from node.store.dialect import triggers

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("asset", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("kind", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("member", sa.Integer(), nullable=True),
        sa.Column("month", sa.Integer(), nullable=True),
        sa.Column("side", sa.Integer(), nullable=False),
        sa.Column("balance", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("balance >= 0", name="balance_not_negative"),
        sa.CheckConstraint("side IN (1, -1)"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("asset", "name"),
    )
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.create_index(
            "account_of_month", ["kind", "month", "asset", "member"], unique=False
        )

    op.create_table(
        "attempt",
        sa.Column("id", sqlmodel.sql.sqltypes.AutoString(), autoincrement=False, nullable=False),
        sa.Column("rail", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("state", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("reference", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("message", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("asset", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("fee_limit", sa.BigInteger(), nullable=False),
        sa.Column("expires_s", sa.BigInteger(), nullable=True),
        sa.Column("sender", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("seen", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("sent_s", sa.BigInteger(), nullable=True),
        sa.Column("proof", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("fee", sa.BigInteger(), nullable=True),
        sa.Column("reason", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("rail", "number"),
        sa.UniqueConstraint("reference"),
    )
    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.create_index("attempt_state", ["state"], unique=False)

    op.create_table(
        "breaker",
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(), autoincrement=False, nullable=False),
        sa.Column("reason", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "chain",
        sa.Column("asset", sqlmodel.sql.sqltypes.AutoString(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("head", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("asset"),
    )
    op.create_table(
        "click_key",
        sa.Column("member", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "request", sqlmodel.sql.sqltypes.AutoString(), autoincrement=False, nullable=False
        ),
        sa.Column("body", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("member", "request"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "close",
        sa.Column("month", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("asset", sqlmodel.sql.sqltypes.AutoString(), autoincrement=False, nullable=False),
        sa.Column("stage", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("frozen_us", sa.BigInteger(), nullable=False),
        sa.Column("commission_bps", sa.Integer(), nullable=False),
        sa.Column("dues_units", sa.BigInteger(), nullable=False),
        sa.Column("pots", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("distributed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("commission", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("carried", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("readers", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("flattrs", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("creators", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("digest", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.PrimaryKeyConstraint("month", "asset"),
    )
    op.create_table(
        "close_part",
        sa.Column("month", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("asset", sqlmodel.sql.sqltypes.AutoString(), autoincrement=False, nullable=False),
        sa.Column("kind", sqlmodel.sql.sqltypes.AutoString(), autoincrement=False, nullable=False),
        sa.Column("first", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.Column("rows", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("month", "asset", "kind", "first"),
    )
    op.create_table(
        "cursor",
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(), autoincrement=False, nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "entry",
        sa.Column("id", sqlmodel.sql.sqltypes.AutoString(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("asset", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("kind", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("ref", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("month", sa.Integer(), nullable=True),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("digest", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("before", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("hash", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("asset", "seq"),
        sa.UniqueConstraint("hash"),
        sa.UniqueConstraint("number"),
    )
    op.create_table(
        "flattr_inbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("month", sa.Integer(), nullable=False),
        sa.Column("member", sa.Integer(), nullable=False),
        sa.Column("thing", sa.Integer(), nullable=False),
        sa.Column("op", sa.Integer(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "flattr_month",
        sa.Column("month", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("member", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("things", sa.LargeBinary(), nullable=False),
        sa.Column("undone", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("month", "member"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "lease",
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(), autoincrement=False, nullable=False),
        sa.Column("holder", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "member",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("suspended_us", sa.BigInteger(), nullable=True),
        sa.Column(
            "dues_from_earnings", sa.Boolean(), server_default=sa.text("(true)"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "payout",
        sa.Column("id", sqlmodel.sql.sqltypes.AutoString(), autoincrement=False, nullable=False),
        sa.Column("kind", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("member", sa.Integer(), nullable=False),
        sa.Column("asset", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("month", sa.Integer(), nullable=True),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("fee_limit", sa.BigInteger(), nullable=False),
        sa.Column("target", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("state", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("reason", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_try_s", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("paid_us", sa.BigInteger(), nullable=True),
        sa.Column("fee", sa.BigInteger(), nullable=True),
        sa.Column("proof", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.CheckConstraint("units > 0"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("payout", schema=None) as batch_op:
        batch_op.create_index("payout_of_member", ["member"], unique=False)
        batch_op.create_index(
            "payout_open",
            ["state", "next_try_s"],
            unique=False,
            sqlite_where=sa.text("state <> 'paid'"),
            postgresql_where=sa.text("state <> 'paid'"),
        )

    op.create_table(
        "request_key",
        sa.Column("member", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sqlmodel.sql.sqltypes.AutoString(), autoincrement=False, nullable=False),
        sa.Column("body", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("answer", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("member", "key"),
    )
    op.create_table(
        "thing_count",
        sa.Column("thing", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("month", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("flattrs", sa.Integer(), nullable=False),
        sa.CheckConstraint("flattrs >= 0"),
        sa.PrimaryKeyConstraint("thing", "month"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tranche",
        sa.Column("member", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("asset", sqlmodel.sql.sqltypes.AutoString(), autoincrement=False, nullable=False),
        sa.Column("month", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("units_left", sa.BigInteger(), nullable=False),
        sa.Column("since_s", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("units_left >= 0"),
        sa.PrimaryKeyConstraint("member", "asset", "month"),
    )
    op.create_table(
        "used_hash",
        sa.Column("hash", sqlmodel.sql.sqltypes.AutoString(), autoincrement=False, nullable=False),
        sa.Column("used_by", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_table(
        "deposit",
        sa.Column("id", sqlmodel.sql.sqltypes.AutoString(), autoincrement=False, nullable=False),
        sa.Column("payment_hash", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("member", sa.Integer(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("to_pot", sa.Boolean(), nullable=False),
        sa.Column("payment_request", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("state", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_s", sa.BigInteger(), nullable=False),
        sa.Column("paid_units", sa.BigInteger(), nullable=True),
        sa.Column("settled_s", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["member"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("payment_hash"),
    )
    with op.batch_alter_table("deposit", schema=None) as batch_op:
        batch_op.create_index("deposit_by", ["member"], unique=False)
        batch_op.create_index("deposit_open", ["state", "created_us"], unique=False)

    op.create_table(
        "leg",
        sa.Column("attempt", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("payout", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("dead", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.ForeignKeyConstraint(
            ["attempt"],
            ["attempt.id"],
        ),
        sa.ForeignKeyConstraint(
            ["payout"],
            ["payout.id"],
        ),
        sa.PrimaryKeyConstraint("attempt", "payout"),
    )
    with op.batch_alter_table("leg", schema=None) as batch_op:
        batch_op.create_index(
            "one_live",
            ["payout"],
            unique=True,
            sqlite_where=sa.text("NOT dead"),
            postgresql_where=sa.text("NOT dead"),
        )

    op.create_table(
        "means",
        sa.Column("member", sa.Integer(), nullable=False),
        sa.Column("asset", sqlmodel.sql.sqltypes.AutoString(), autoincrement=False, nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("units >= 0"),
        sa.ForeignKeyConstraint(
            ["member"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("member", "asset"),
    )
    op.create_table(
        "notice",
        sa.Column("member", sa.Integer(), nullable=False),
        sa.Column("kind", sqlmodel.sql.sqltypes.AutoString(), autoincrement=False, nullable=False),
        sa.Column("ref", sqlmodel.sql.sqltypes.AutoString(), autoincrement=False, nullable=False),
        sa.Column("words", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("member", "kind", "ref"),
    )
    op.create_table(
        "posting",
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("debit", sa.Integer(), nullable=False),
        sa.Column("credit", sa.Integer(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("debit <> credit"),
        sa.CheckConstraint("units > 0"),
        sa.ForeignKeyConstraint(
            ["credit"],
            ["account.id"],
        ),
        sa.ForeignKeyConstraint(
            ["debit"],
            ["account.id"],
        ),
        sa.ForeignKeyConstraint(
            ["entry"],
            ["entry.number"],
        ),
        sa.PrimaryKeyConstraint("entry", "line"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "target",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member", sa.Integer(), nullable=False),
        sa.Column("asset", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("text", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("fingerprint", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("set_us", sa.BigInteger(), nullable=False),
        sa.Column("active_us", sa.BigInteger(), nullable=False),
        sa.Column("replaced_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["member"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("target", schema=None) as batch_op:
        batch_op.create_index(
            "one_target",
            ["member", "asset"],
            unique=True,
            sqlite_where=sa.text("replaced_us IS NULL"),
            postgresql_where=sa.text("replaced_us IS NULL"),
        )

    op.create_table(
        "thing",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("url", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("title", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("owner", sa.Integer(), nullable=True),
        sa.Column("claimed_us", sa.BigInteger(), nullable=True),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("url"),
    )
    with op.batch_alter_table("thing", schema=None) as batch_op:
        batch_op.create_index("thing_of_owner", ["owner"], unique=False)

    op.create_table(
        "token",
        sa.Column("hash", sqlmodel.sql.sqltypes.AutoString(), autoincrement=False, nullable=False),
        sa.Column("id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("member", sa.Integer(), nullable=False),
        sa.Column("label", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("scopes", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=False),
        sa.Column("revoked_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["member"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("hash"),
        sa.UniqueConstraint("id"),
    )
    with op.batch_alter_table("token", schema=None) as batch_op:
        batch_op.create_index("token_of_member", ["member"], unique=False)

    op.create_table(
        "subscription",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member", sa.Integer(), nullable=False),
        sa.Column("thing", sa.Integer(), nullable=False),
        sa.Column("first_month", sa.Integer(), nullable=False),
        sa.Column("months", sa.Integer(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("ended_us", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("months IN (3, 6, 12)"),
        sa.ForeignKeyConstraint(
            ["member"],
            ["member.id"],
        ),
        sa.ForeignKeyConstraint(
            ["thing"],
            ["thing.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("member", "thing", "first_month"),
    )
    for statement in triggers(op.get_bind().dialect.name):
        op.execute(statement)
