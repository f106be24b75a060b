"""A member's payouts as the member reads them, newest first, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row

from node.ids import MemberId, PayoutId
from node.money import Asset
from node.month import Month
from node.settlement.payout import PayoutKind, PayoutState
from node.store.engine import NEWEST, Tx

_COLUMNS: Final = (
    "SELECT payout.*, (SELECT max(reference) FROM attempt JOIN leg ON leg.attempt = attempt.id"
    " WHERE leg.payout = payout.id AND NOT leg.dead) AS reference FROM payout"
)


@dataclass(frozen=True, slots=True)
class PayoutRecord:
    """A payout with its times and, once it is paid, what proves it. Units are base units."""

    id: PayoutId
    kind: PayoutKind
    month: Month | None
    asset: Asset
    units: int
    target: str | None
    state: PayoutState
    reason: str | None
    tries: int
    next_try_s: int
    created_us: int
    paid_us: int | None
    fee_units: int | None
    proof: str | None
    """The preimage, in hex: its sha256 is `reference`. On the chain the transaction's hash."""
    reference: str | None
    """The payment hash of the attempt that is not dead."""


async def payouts_of(
    tx: Tx, member: MemberId, limit: int, after: tuple[int, str] = NEWEST
) -> list[PayoutRecord]:
    """A member's payouts, newest first; those after (created_us, id) of the last one seen."""
    rows = await tx.rows(
        _COLUMNS + " WHERE member = :member AND (created_us < :us"
        " OR (created_us = :us AND id > :id)) ORDER BY created_us DESC, id LIMIT :limit",
        member=member, limit=limit, us=after[0], id=after[1],
    )  # fmt: skip
    return [_record(row) for row in rows]


async def paid_or_held(tx: Tx, member: MemberId, limit: int) -> list[PayoutRecord]:
    """A member's payouts that are held, and then those that were paid, the last one first."""
    rows = await tx.rows(
        _COLUMNS + " WHERE member = :member AND state IN ('paid', 'held')"
        " ORDER BY paid_us IS NULL DESC, paid_us DESC, created_us DESC, id LIMIT :limit",
        member=member, limit=limit,
    )  # fmt: skip
    return [_record(row) for row in rows]


async def last_tried_us(tx: Tx, member: MemberId) -> dict[PayoutId, int]:
    """When the newest attempt at each of a member's held payouts was stored; none: not there."""
    rows = await tx.rows(
        "SELECT payout.id, CAST(max(attempt.created_us) AS bigint) AS us FROM payout"
        " JOIN leg ON leg.payout = payout.id JOIN attempt ON attempt.id = leg.attempt"
        " WHERE payout.member = :member AND payout.state = 'held' GROUP BY payout.id",
        member=member,
    )
    return {PayoutId(row.id): int(row.us) for row in rows}


async def payout_of(tx: Tx, member: MemberId, payout: PayoutId) -> PayoutRecord | None:
    """One of the member's own payouts."""
    sql = _COLUMNS + " WHERE id = :id AND member = :member"
    row = await tx.row(sql, id=payout, member=member)
    return _record(row) if row else None


async def waiting_units(tx: Tx, member: MemberId, asset: Asset) -> int:
    """What is on its way to the member: payouts that are neither paid nor returned."""
    units = await tx.value(
        "SELECT CAST(coalesce(sum(units), 0) AS bigint) FROM payout WHERE member = :member"
        " AND asset = :asset AND state NOT IN ('paid', 'returned')",
        member=member, asset=asset,
    )  # fmt: skip
    return int(units)


def _record(row: Row[Any]) -> PayoutRecord:
    return PayoutRecord(
        PayoutId(row.id), PayoutKind(row.kind),
        None if row.month is None else Month.from_ordinal(row.month), Asset(row.asset),
        row.units, row.target,
        PayoutState(row.state), row.reason, row.tries, row.next_try_s, row.created_us, row.paid_us,
        row.fee, row.proof, row.reference,
    )  # fmt: skip
