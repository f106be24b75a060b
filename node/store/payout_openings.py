"""The creators' payouts of a close, stored as one set: tens of thousands in one statement.

Each has its account already, which the close's entry has made and filled; so the payouts are made
out of the accounts, inside the database. What each may cost and whether something is in the way is
said in SQL once more: `settlement/fees.payout_fee_limit` and `flows/open_payouts.held_reason` are
the rules, and a test compares.
"""

from __future__ import annotations

from typing import Final

from node.ledger.accounts import Kind
from node.settlement.fees import BPS, fee_rule
from node.settlement.payout import HeldReason, PayoutKind, PayoutState
from node.store.closes import Close
from node.store.engine import Tx

_LIMIT: Final = (
    # The whole part apart from the rest: units * bps could leave 64 bits.
    "account.balance / :whole * :bps + account.balance % :whole * :bps / :whole"
)


async def add(tx: Tx, close: Close, now_us: int) -> None:
    """Store the payouts of members whose accounts the close has opened; each once."""
    floor, bps = fee_rule(close.asset)
    await tx.run(
        "INSERT INTO payout (id, kind, member, asset, month, units, fee_limit, target, state,"
        " reason, created_us) SELECT id, CAST(:kind AS text), member, asset, month, units,"
        " CASE WHEN part > :floor THEN part ELSE :floor END, words,"
        " CASE WHEN why IS NULL THEN CAST(:due AS text) ELSE CAST(:held AS text) END, why,"
        " CAST(:now_us AS bigint) FROM (SELECT substr(account.name, CAST(:from AS integer)) AS id,"
        " account.member, account.asset, account.month, account.balance AS units,"
        f" {_LIMIT} AS part, target.text AS words,"
        " CASE WHEN suspended_us IS NOT NULL THEN CAST(:suspended AS text)"
        " WHEN target.text IS NULL THEN CAST(:no_target AS text)"
        " WHEN active_us > CAST(:now_us AS bigint) THEN CAST(:changed AS text) END AS why"
        " FROM account JOIN member ON member.id = account.member LEFT JOIN target"
        " ON target.member = account.member AND target.asset = :asset AND replaced_us IS NULL"
        " WHERE account.kind = :payout AND account.month = :month AND account.asset = :asset"
        " AND account.balance > 0) AS opened WHERE true ON CONFLICT DO NOTHING",
        kind=PayoutKind.CREATOR, payout=Kind.PAYOUT, asset=close.asset, month=close.month.ordinal,
        due=PayoutState.DUE, held=PayoutState.HELD, now_us=now_us, whole=BPS, bps=bps,
        floor=floor, suspended=HeldReason.SUSPENDED, no_target=HeldReason.NO_TARGET,
        changed=HeldReason.TARGET_CHANGED, **{"from": len(f"{Kind.PAYOUT}:") + 1},
    )  # fmt: skip
