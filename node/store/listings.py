"""What the operator's commands list: payouts with all that is known of them, members, attempts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from node.ids import MemberId, PayoutId
from node.money import Amount, Asset
from node.month import Month
from node.settlement.payout import PayoutKind, PayoutState
from node.store.engine import Tx

_ESCAPED: Final = re.compile("[!%_]")


@dataclass(frozen=True, slots=True)
class ListedPayout:
    """A payout in words. `name` is the receiver's; `limbo`: its attempt waits for a person."""

    id: PayoutId
    kind: PayoutKind
    name: str
    amount: Amount
    month: Month | None
    target: str | None
    state: PayoutState
    reason: str | None
    tries: int
    next_try_s: int
    fee: Amount | None
    proof: str | None
    limbo: bool


@dataclass(frozen=True, slots=True)
class ListedMember:
    """A member as the operator sees it."""

    id: MemberId
    name: str
    suspended: bool
    target: str | None
    things: int
    available: Amount


async def payouts(
    tx: Tx, asset: Asset, state: PayoutState | None, limit: int, offset: int = 0
) -> list[ListedPayout]:
    """Payouts, newest month first, of one state if it is given."""
    rows = await tx.rows(
        "SELECT payout.*, coalesce(member.name, 'operator') AS name, EXISTS (SELECT 1 FROM leg"
        " JOIN attempt ON attempt.id = leg.attempt WHERE leg.payout = payout.id AND NOT leg.dead"
        " AND attempt.state = 'limbo') AS limbo FROM payout"
        " LEFT JOIN member ON member.id = payout.member WHERE payout.asset = :asset"
        " AND (CAST(:state AS text) IS NULL OR payout.state = :state)"
        " ORDER BY created_us DESC, name, payout.id LIMIT :limit OFFSET :offset",
        asset=asset, state=state, limit=limit, offset=offset,
    )  # fmt: skip
    return [
        ListedPayout(
            PayoutId(row.id), PayoutKind(row.kind), row.name, Amount(row.units, asset),
            None if row.month is None else Month.from_ordinal(row.month), row.target,
            PayoutState(row.state), row.reason, row.tries, row.next_try_s,
            None if row.fee is None else Amount(row.fee, asset), row.proof, bool(row.limbo),
        )
        for row in rows
    ]  # fmt: skip


async def members(
    tx: Tx, asset: Asset, limit: int, part: str = "", offset: int = 0
) -> list[ListedMember]:
    """Members in the order of joining, whose name has this part."""
    rows = await tx.rows(
        "SELECT member.id, member.name, suspended_us, target.text AS target, (SELECT count(*)"
        " FROM thing WHERE owner = member.id) AS things, coalesce(balance, 0) AS available"
        " FROM member LEFT JOIN target ON target.member = member.id AND target.asset = :asset"
        " AND replaced_us IS NULL LEFT JOIN account ON account.member = member.id"
        " AND account.kind = 'available' AND account.asset = :asset"
        # A name is searched as it is written: no letter of it is a wildcard.
        " WHERE lower(member.name) LIKE '%' || lower(CAST(:part AS text)) || '%' ESCAPE '!'"
        " ORDER BY member.id LIMIT :limit OFFSET :offset",
        asset=asset, limit=limit, offset=offset, part=_ESCAPED.sub(r"!\g<0>", part),
    )  # fmt: skip
    return [
        ListedMember(
            MemberId(row.id), row.name, row.suspended_us is not None, row.target, row.things,
            Amount(row.available, asset),
        )
        for row in rows
    ]  # fmt: skip


async def names(tx: Tx, members_: list[MemberId]) -> dict[MemberId, str]:
    """The names of these members."""
    rows = await tx.rows_of(
        f"SELECT id, name FROM member JOIN {tx.dialect.json_rows(('bigint',))} ON id = c0",
        [(one,) for one in members_],
    )
    return {MemberId(row.id): row.name for row in rows}
