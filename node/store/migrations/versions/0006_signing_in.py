"""Signing in"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_KINDS = "kind IN ('lightning', 'ethereum', 'nostr')"
_WHO_ASKS = "(member IS NULL) = (action = 'login')"


def upgrade() -> None:
    text = sqlmodel.sql.sqltypes.AutoString
    op.create_table(
        "session",
        sa.Column("hash", text(), autoincrement=False, nullable=False),
        sa.Column("id", text(), nullable=False),
        sa.Column("member", sa.Integer(), nullable=False),
        sa.Column("agent", text(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("seen_us", sa.BigInteger(), nullable=False),
        sa.Column("signed_in_us", sa.BigInteger(), nullable=True),
        sa.Column("token", text(), nullable=True),
        sa.CheckConstraint("(signed_in_us IS NULL) <> (token IS NULL)"),
        sa.ForeignKeyConstraint(["member"], ["member.id"]),
        sa.ForeignKeyConstraint(["token"], ["token.id"]),
        sa.PrimaryKeyConstraint("hash"),
        sa.UniqueConstraint("id"),
    )
    op.create_index("session_of_member", "session", ["member"])
    op.create_index("session_seen", "session", ["seen_us"])
    op.create_table(
        "identity",
        sa.Column("kind", text(), autoincrement=False, nullable=False),
        sa.Column("key", text(), autoincrement=False, nullable=False),
        sa.Column("id", text(), nullable=False),
        sa.Column("member", sa.Integer(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("used_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(_KINDS),
        sa.ForeignKeyConstraint(["member"], ["member.id"]),
        sa.PrimaryKeyConstraint("kind", "key"),
        sa.UniqueConstraint("id"),
    )
    op.create_index("identity_of_member", "identity", ["member"])
    _waiting()


def _waiting() -> None:
    text = sqlmodel.sql.sqltypes.AutoString
    op.create_table(
        "sign_in_challenge",
        sa.Column("hash", text(), autoincrement=False, nullable=False),
        sa.Column("kind", text(), nullable=False),
        sa.Column("action", text(), nullable=False),
        sa.Column("browser", text(), nullable=False),
        sa.Column("member", sa.Integer(), nullable=True),
        sa.Column("expires_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(_KINDS),
        sa.CheckConstraint("action IN ('login', 'link', 'auth')"),
        sa.CheckConstraint(_WHO_ASKS),
        sa.ForeignKeyConstraint(["member"], ["member.id"]),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_index("sign_in_challenge_expires", "sign_in_challenge", ["expires_us"])
    op.create_index("sign_in_challenge_of_browser", "sign_in_challenge", ["browser"])
    op.create_table(
        "sign_in_proof",
        sa.Column("browser", text(), autoincrement=False, nullable=False),
        sa.Column("kind", text(), nullable=False),
        sa.Column("key", text(), nullable=False),
        sa.Column("action", text(), nullable=False),
        sa.Column("member", sa.Integer(), nullable=True),
        sa.Column("expires_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(_WHO_ASKS),
        sa.ForeignKeyConstraint(["member"], ["member.id"]),
        sa.PrimaryKeyConstraint("browser"),
    )
    op.create_index("sign_in_proof_expires", "sign_in_proof", ["expires_us"])
    op.create_table(
        "seen_event",
        sa.Column("id", text(), autoincrement=False, nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("seen_event_expires", "seen_event", ["expires_us"])
