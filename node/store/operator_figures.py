"""Sums that the operator's console and the metrics show, and the last audit's result."""

from __future__ import annotations

from dataclasses import dataclass

from node.money import Amount, Asset
from node.month import Month
from node.settlement.attempt import AttemptState
from node.settlement.payout import PayoutState
from node.store.engine import Tx


@dataclass(frozen=True, slots=True)
class MonthFees:
    """What the payouts of one month's close cost, and how many of them are paid."""

    month: Month
    paid: int
    fees: Amount


@dataclass(frozen=True, slots=True)
class Waiting:
    """Payouts of one state that wait for one reason; `reason` is empty where none is given."""

    state: PayoutState
    reason: str
    number: int
    amount: Amount


@dataclass(frozen=True, slots=True)
class HeldEarnings:
    """What one creator has earned and is not paid, as the dues were not; since when."""

    name: str
    member: int
    amount: Amount
    months: int
    since_s: int


@dataclass(frozen=True, slots=True)
class AuditResult:
    """What the last audit said: pass, warn or breach."""

    at_us: int
    result: str
    words: str


async def fees_by_month(tx: Tx, asset: Asset, limit: int) -> list[MonthFees]:
    """Of the newest months that have payouts, newest first."""
    rows = await tx.rows(
        "SELECT month, count(*) AS paid, CAST(coalesce(sum(fee), 0) AS bigint) AS fees FROM payout"
        " WHERE asset = :asset AND state = 'paid' AND month IS NOT NULL GROUP BY month"
        " ORDER BY month DESC LIMIT :limit",
        asset=asset, limit=limit,
    )  # fmt: skip
    return [
        MonthFees(Month.from_ordinal(row.month), row.paid, Amount(row.fees, asset)) for row in rows
    ]


async def waiting(tx: Tx, asset: Asset) -> list[Waiting]:
    """Payouts that are neither paid nor returned, by state and reason, the most money first."""
    rows = await tx.rows(
        "SELECT state, coalesce(reason, '') AS reason, count(*) AS number,"
        " CAST(sum(units) AS bigint) AS units FROM payout WHERE asset = :asset"
        " AND state NOT IN ('paid', 'returned') GROUP BY state, coalesce(reason, '')"
        " ORDER BY sum(units) DESC, state, reason",
        asset=asset,
    )
    return [
        Waiting(PayoutState(row.state), row.reason, row.number, Amount(row.units, asset))
        for row in rows
    ]


async def held_earnings(tx: Tx, asset: Asset, limit: int) -> list[HeldEarnings]:
    """Creators with money held for want of their dues, the oldest first."""
    rows = await tx.rows(
        "SELECT tranche.member, name, CAST(sum(units_left) AS bigint) AS units,"
        " count(*) AS months, min(since_s) AS since_s FROM tranche"
        " JOIN member ON member.id = tranche.member WHERE asset = :asset AND units_left > 0"
        " GROUP BY tranche.member, name ORDER BY min(since_s), name LIMIT :limit",
        asset=asset, limit=limit,
    )  # fmt: skip
    return [
        HeldEarnings(row.name, row.member, Amount(row.units, asset), row.months, row.since_s)
        for row in rows
    ]


async def live_attempts(tx: Tx) -> dict[tuple[str, AttemptState], int]:
    """Attempts that may yet pay: how many, by (rail, state)."""
    rows = await tx.rows(
        "SELECT rail, state, count(*) AS number FROM attempt"
        " WHERE state IN ('ready', 'sent', 'limbo') GROUP BY rail, state"
    )
    return {(row.rail, AttemptState(row.state)): row.number for row in rows}


async def keep_audit(tx: Tx, result: AuditResult) -> None:
    """Remember the last audit, instead of the one before."""
    await tx.run(
        "INSERT INTO audit_result (id, at_us, result, words) VALUES (1, :at_us, :result, :words)"
        " ON CONFLICT (id) DO UPDATE SET at_us = excluded.at_us, result = excluded.result,"
        " words = excluded.words",
        at_us=result.at_us, result=result.result, words=result.words,
    )  # fmt: skip


async def last_audit(tx: Tx) -> AuditResult | None:
    """What the last audit said; None before the first."""
    row = await tx.row("SELECT at_us, result, words FROM audit_result")
    return AuditResult(row.at_us, row.result, row.words) if row else None
