"""Claims of whole sites, and counters by day"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_THINGS_A_TURN = 10_000


def upgrade() -> None:
    text = sqlmodel.sql.sqltypes.AutoString
    op.add_column("thing", sa.Column("site", text(), server_default="", nullable=False))
    _fill_sites(op.get_bind())
    op.create_index("thing_of_site", "thing", ["site"])
    op.create_table(
        "site_claim",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site", text(), nullable=False),
        sa.Column("member", sa.Integer(), nullable=False),
        sa.Column("asked_us", sa.BigInteger(), nullable=False),
        sa.Column("seen_us", sa.BigInteger(), nullable=True),
        sa.Column("method", text(), nullable=True),
        sa.Column("held_us", sa.BigInteger(), nullable=True),
        sa.Column("ended_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["member"], ["member.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    held = sa.text("held_us IS NOT NULL AND ended_us IS NULL")
    op.create_index(
        "one_holder", "site_claim", ["site"], unique=True,
        sqlite_where=held, postgresql_where=held,
    )  # fmt: skip
    running = sa.text("ended_us IS NULL")
    op.create_index(
        "one_claim", "site_claim", ["member", "site"], unique=True,
        sqlite_where=running, postgresql_where=running,
    )  # fmt: skip
    op.create_table(
        "thing_day",
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("thing", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("flattrs", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "thing"),
        sqlite_with_rowid=False,
    )


def _fill_sites(connection: sa.Connection) -> None:
    """The site of each thing that there is, out of its URL, which is canonical."""
    last = 0
    while True:
        rows = connection.execute(
            sa.text("SELECT id, url FROM thing WHERE id > :last ORDER BY id LIMIT :turn"),
            {"last": last, "turn": _THINGS_A_TURN},
        ).all()
        if not rows:
            return
        last = rows[-1].id
        connection.execute(
            sa.text("UPDATE thing SET site = :site WHERE id = :id"),
            [{"id": row.id, "site": row.url.split("/")[2]} for row in rows],
        )
