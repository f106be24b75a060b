"""Withdrawals of the vault that took more than the books had, as far as they are not explained."""

from __future__ import annotations

from dataclasses import dataclass

from node.ids import MemberId
from node.ledger import accounts
from node.money import Asset
from node.store import journal
from node.store.engine import Tx


@dataclass(frozen=True, slots=True)
class Unexplained:
    """What of one withdrawal is in suspense, in base units. `ref`: where it is on the chain."""

    member: MemberId
    ref: str
    units: int
    time_s: int
    """Its block's."""


async def unexplained(tx: Tx, chain_id: int, asset: Asset) -> list[Unexplained]:
    """All of it, oldest first. Usually nothing is in suspense, and nothing is searched."""
    if not await journal.balance(tx, accounts.suspense(asset)):
        return []
    rows = await tx.rows(
        "SELECT member, ref, units, time_s FROM (SELECT chain_address.member, entry.ref,"
        " entry.number, chain_event.time_s,"
        " CAST(posting.units - coalesce((SELECT sum(back.units) FROM entry AS later"
        " JOIN posting AS back ON back.entry = later.number"
        " JOIN account AS there ON there.id = back.credit"
        " WHERE later.kind = 'explained' AND later.ref = entry.ref"
        " AND there.kind = 'suspense'), 0) AS bigint) AS units FROM chain_event"
        " JOIN chain_address ON chain_address.chain_id = chain_event.chain_id"
        " AND chain_address.address = chain_event.address"
        " JOIN entry ON entry.id = chain_event.id AND entry.asset = :asset"
        " JOIN posting ON posting.entry = entry.number"
        " JOIN account ON account.id = posting.debit AND account.kind = 'suspense'"
        " WHERE chain_event.kind = 'withdrawn' AND chain_event.chain_id = :chain_id) AS beyond"
        " WHERE units > 0 ORDER BY number",
        chain_id=chain_id, asset=asset,
    )  # fmt: skip
    return [Unexplained(MemberId(row.member), row.ref, row.units, row.time_s) for row in rows]
