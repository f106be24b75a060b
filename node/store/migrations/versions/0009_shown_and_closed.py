"""Members who show what they flattr, and members who have left"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    shows = sa.Column(
        "shows_flattrs", sa.Boolean(), server_default=sa.text("(false)"), nullable=False
    )
    op.add_column("member", shows)
    op.add_column("member", sa.Column("closed_us", sa.BigInteger(), nullable=True))
    op.add_column("thing", sa.Column("released_us", sa.BigInteger(), nullable=True))
    op.create_index(
        "member_shown", "member", ["id"],
        sqlite_where=sa.text("shows_flattrs"), postgresql_where=sa.text("shows_flattrs"),
    )  # fmt: skip
