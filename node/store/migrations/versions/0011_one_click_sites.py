"""Sites on which one click flattrs"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "consent",
        sa.Column("member", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("origin", sqlmodel.sql.sqltypes.AutoString(), autoincrement=False, nullable=False),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["member"], ["member.id"]),
        sa.PrimaryKeyConstraint("member", "origin"),
        sqlite_with_rowid=False,
    )
