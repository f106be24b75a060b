"""Bad days"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    text = sqlmodel.sql.sqltypes.AutoString
    op.create_table(
        "quarantine",
        sa.Column("rail", text(), autoincrement=False, nullable=False),
        sa.Column("words", text(), nullable=False),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("rail"),
    )
    op.create_table(
        "limbo_approval",
        sa.Column("attempt", text(), nullable=False),
        sa.Column("actor", text(), autoincrement=False, nullable=False),
        sa.Column("proof", text(), nullable=False),
        sa.Column("hash", text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["attempt"], ["attempt.id"]),
        sa.PrimaryKeyConstraint("attempt", "actor"),
    )
