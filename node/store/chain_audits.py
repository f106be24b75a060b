"""What `audit` asks of the books for the comparison with the chain: whole lists, in bulk."""

from __future__ import annotations

from dataclasses import dataclass

from node.ids import MemberId, PayoutId
from node.money import Asset
from node.settlement.attempt import AttemptState
from node.settlement.payout import PayoutKind, PayoutState
from node.store.engine import Tx


@dataclass(frozen=True, slots=True)
class PaidBy:
    """One payout of an attempt, as it stands."""

    payout: PayoutId
    kind: PayoutKind
    member: MemberId
    target: str | None
    units: int
    state: PayoutState


@dataclass(frozen=True, slots=True)
class ChainAttempt:
    """One batch or transfer that is not dead, and all that it pays."""

    reference: str
    state: AttemptState
    message: str
    proof: str | None
    payouts: tuple[PaidBy, ...]


@dataclass(frozen=True, slots=True)
class GasCost:
    """One entry about gas. `signed`: by this node; `cost_wei` None: its call says no cost."""

    tx_hash: str
    booked_wei: int
    signed: bool
    cost_wei: int | None


async def attempts_of(tx: Tx, rail: str, prefix: str) -> list[ChainAttempt]:
    """Attempts whose reference begins so and that are not dead, in order of number."""
    rows = await tx.rows(
        "SELECT attempt.reference, attempt.state, attempt.message, attempt.proof,"
        " payout.id AS payout, payout.kind, payout.member, payout.target, payout.units,"
        " payout.state AS payout_state FROM attempt"
        " LEFT JOIN leg ON leg.attempt = attempt.id AND NOT leg.dead"
        " LEFT JOIN payout ON payout.id = leg.payout"
        " WHERE attempt.rail = :rail AND attempt.state <> 'dead'"
        " AND substr(reference, 1, length(CAST(:prefix AS text))) = :prefix"
        " ORDER BY attempt.number, payout.id",
        rail=rail, prefix=prefix,
    )  # fmt: skip
    found: dict[str, ChainAttempt] = {}
    paid: dict[str, list[PaidBy]] = {}
    for row in rows:
        found[row.reference] = ChainAttempt(
            row.reference, AttemptState(row.state), row.message, row.proof, ()
        )
        some = paid.setdefault(row.reference, [])
        if row.payout is not None:
            some.append(
                PaidBy(
                    PayoutId(row.payout), PayoutKind(row.kind), MemberId(row.member), row.target,
                    row.units, PayoutState(row.payout_state),
                )
            )  # fmt: skip
    return [
        ChainAttempt(one.reference, one.state, one.message, one.proof, tuple(paid[one.reference]))
        for one in found.values()
    ]


async def last_seq(tx: Tx, asset: Asset) -> int:
    """How many entries the asset's chain has: whether anything was booked meanwhile."""
    found = await tx.value("SELECT seq FROM chain WHERE asset = :asset", asset=asset)
    return int(found or 0)


async def gas_costs(tx: Tx) -> list[GasCost]:
    """Every entry about gas, oldest first."""
    rows = await tx.rows(
        "SELECT entry.ref, CAST(sum(posting.units) AS bigint) AS booked,"
        " max(CASE WHEN signed_transaction.tx_hash IS NULL THEN 0 ELSE 1 END) AS signed,"
        " max(chain_transaction.cost_wei) AS cost FROM entry"
        " JOIN posting ON posting.entry = entry.number"
        " LEFT JOIN signed_transaction ON signed_transaction.tx_hash = entry.ref"
        " LEFT JOIN chain_transaction ON chain_transaction.tx_hash = entry.ref"
        " WHERE entry.asset = 'eth' AND entry.kind = 'gas' GROUP BY entry.seq, entry.ref"
        " ORDER BY entry.seq"
    )
    return [GasCost(row.ref, row.booked, bool(row.signed), row.cost) for row in rows]


async def costs_not_booked(tx: Tx) -> list[str]:
    """Calls that have cost gas, of which the books have no entry: their purposes."""
    rows = await tx.rows(
        "SELECT purpose FROM chain_transaction WHERE cost_wei IS NOT NULL AND NOT EXISTS"
        " (SELECT 1 FROM entry WHERE entry.asset = 'eth' AND entry.kind = 'gas'"
        " AND entry.ref = chain_transaction.tx_hash) ORDER BY purpose"
    )
    return [row.purpose for row in rows]
