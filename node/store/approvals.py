"""Months that the operator has approved to be closed, where the settings want that."""

from __future__ import annotations

from dataclasses import dataclass

from node.money import Asset
from node.month import Month
from node.store.engine import Tx


@dataclass(frozen=True, slots=True)
class Approval:
    """Who said that a month may be closed, and when."""

    month: Month
    asset: Asset
    actor: str
    at_us: int


async def approve(tx: Tx, approval: Approval) -> bool:
    """Keep an approval; False if the month has one. The first stays."""
    made = await tx.run(
        "INSERT INTO close_approval (month, asset, actor, at_us)"
        " VALUES (:month, :asset, :actor, :at_us) ON CONFLICT DO NOTHING",
        month=approval.month.ordinal, asset=approval.asset, actor=approval.actor,
        at_us=approval.at_us,
    )  # fmt: skip
    return made == 1


async def approved(tx: Tx, asset: Asset) -> dict[Month, Approval]:
    """All approvals in an asset, by month."""
    rows = await tx.rows("SELECT * FROM close_approval WHERE asset = :asset", asset=asset)
    months = (Approval(Month.from_ordinal(row.month), asset, row.actor, row.at_us) for row in rows)
    return {one.month: one for one in months}


async def begun_or_approved(tx: Tx, asset: Asset) -> set[Month]:
    """Months that are approved, or whose close has begun."""
    rows = await tx.rows(
        "SELECT month FROM close_approval WHERE asset = :asset"
        " UNION SELECT month FROM close WHERE asset = :asset",
        asset=asset,
    )
    return {Month.from_ordinal(row.month) for row in rows}
