"""The creators' payouts of a close, stored as one set: tens of thousands in one statement.

Where each is paid, and whether something is in the way, is read in the same statement, by the rule
of `flows/open_payouts.held_reason`; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Sequence

from node.ids import PayoutId
from node.settlement.payout import HeldReason, PayoutKind, PayoutState
from node.store.closes import Close
from node.store.engine import Tx

ROWS_A_STATEMENT = 20_000


async def add(
    tx: Tx, close: Close, rows: Sequence[tuple[PayoutId, int, int, int]], now_us: int
) -> None:
    """Store (id, member, units, fee limit); those that are there already stay as they are."""
    rows = sorted(rows)  # ids in order fill the pages of their index
    source = tx.dialect.json_rows(("text", "bigint", "bigint", "bigint"))
    for first in range(0, len(rows), ROWS_A_STATEMENT):
        await tx.run_rows(
            "INSERT INTO payout (id, kind, member, asset, month, units, fee_limit, target, state,"
            " reason, created_us) SELECT c0, CAST(:kind AS text), c1, CAST(:asset AS text),"
            " CAST(:month AS integer), c2, c3, words,"
            " CASE WHEN why IS NULL THEN CAST(:due AS text) ELSE CAST(:held AS text) END, why,"
            " CAST(:now_us AS bigint) FROM (SELECT c0, c1, c2, c3, target.text AS words,"
            " CASE WHEN suspended_us IS NOT NULL THEN CAST(:suspended AS text)"
            " WHEN target.text IS NULL THEN CAST(:no_target AS text)"
            " WHEN active_us > CAST(:now_us AS bigint) THEN CAST(:changed AS text) END AS why"
            f" FROM {source} JOIN member ON member.id = c1 LEFT JOIN target"
            " ON target.member = c1 AND target.asset = :asset AND replaced_us IS NULL) AS opened"
            " WHERE true ON CONFLICT DO NOTHING",
            rows[first : first + ROWS_A_STATEMENT],
            kind=PayoutKind.CREATOR, asset=close.asset, month=close.month.ordinal,
            due=PayoutState.DUE, held=PayoutState.HELD, now_us=now_us,
            suspended=HeldReason.SUSPENDED, no_target=HeldReason.NO_TARGET,
            changed=HeldReason.TARGET_CHANGED,
        )  # fmt: skip
