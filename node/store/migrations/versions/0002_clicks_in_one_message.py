"""Clicks in one message"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

WRITE_CLICKS = """CREATE FUNCTION write_clicks(landed integer, written_us bigint,
        members integer[], things integer[], ops integer[], requests bytea[])
        RETURNS integer LANGUAGE plpgsql AS $$
        BEGIN
            LOOP  -- to the first month that is not frozen, fenced until the commit
                PERFORM pg_advisory_xact_lock_shared(1717, landed);
                EXIT WHEN NOT EXISTS (SELECT 1 FROM close WHERE month = landed);
                landed := landed + 1;
            END LOOP;
            INSERT INTO flattr_inbox (month, member, thing, op, at_us, request)
                SELECT landed, click.member, click.thing, click.op, written_us, click.request
                FROM unnest(members, things, ops, requests)
                AS click(member, thing, op, request);
            RETURN landed;
        END $$"""


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(WRITE_CLICKS.replace(":", "\\:"))
