"""What creators have held, month by month, until their dues are paid or it goes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from node.errors import CorruptBooks
from node.ids import MemberId
from node.money import Amount, Asset
from node.month import Month
from node.store.closes import Close
from node.store.engine import Tx

Units: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class HeldMonth:
    """What is left of what one creator has held from one month, and since when."""

    month: Month
    amount: Amount
    since_s: int


async def add_tranches(tx: Tx, close: Close, members: Units, units: Units, since_s: int) -> None:
    """What these creators have held from this month."""
    source = tx.dialect.json_rows(("bigint", "bigint"))
    await tx.run_rows(
        "INSERT INTO tranche (member, asset, month, units, units_left, since_s)"
        " SELECT c0, CAST(:asset AS text), CAST(:month AS integer), c1, c1,"
        f" CAST(:since_s AS bigint) FROM {source} WHERE true",
        zip(members.tolist(), units.tolist(), strict=True),
        asset=close.asset, month=close.month.ordinal, since_s=since_s,
    )  # fmt: skip


async def tranches(tx: Tx, asset: Asset, before_s: int) -> list[tuple[MemberId, Month, Amount]]:
    """What has been held since before a time: (creator, month, what is left)."""
    rows = await tx.rows(
        "SELECT member, month, units_left FROM tranche WHERE asset = :asset AND units_left > 0"
        " AND since_s < :before_s ORDER BY month, member",
        asset=asset, before_s=before_s,
    )  # fmt: skip
    return [
        (MemberId(row.member), Month.from_ordinal(row.month), Amount(row.units_left, asset))
        for row in rows
    ]


async def of_member(tx: Tx, member: MemberId, limit: int) -> list[HeldMonth]:
    """What one creator has held, of the newest month first."""
    rows = await tx.rows(
        "SELECT asset, month, units_left, since_s FROM tranche WHERE member = :member"
        " AND units_left > 0 ORDER BY month DESC, asset LIMIT :limit",
        member=member, limit=limit,
    )  # fmt: skip
    return [
        HeldMonth(
            Month.from_ordinal(row.month), Amount(row.units_left, Asset(row.asset)), row.since_s
        )
        for row in rows
    ]


async def take_tranches(tx: Tx, asset: Asset, members: Units, units: Units) -> None:
    """Held money of these creators was used, each one's oldest month first.

    Raises CorruptBooks when somebody's months do not reach for it.
    """
    some = units > 0
    wanted = list(zip(members[some].tolist(), units[some].tolist(), strict=True))
    if not wanted:
        return
    before = await _left(tx, asset)
    source = tx.dialect.json_rows(("bigint", "bigint"))
    await tx.run_rows(
        "UPDATE tranche SET units_left = CASE WHEN reached <= wanted THEN 0"
        " ELSE reached - wanted END FROM (SELECT member AS of_member, month AS of_month,"
        " c1 AS wanted, CAST(sum(units_left) OVER (PARTITION BY member ORDER BY month) AS bigint)"
        f" AS reached FROM tranche JOIN {source} ON c0 = member WHERE asset = :asset"
        " AND units_left > 0) AS taken WHERE asset = :asset AND member = of_member"
        " AND month = of_month AND reached - units_left < wanted",
        wanted, asset=asset,
    )  # fmt: skip
    if before - await _left(tx, asset) != sum(amount for _, amount in wanted):
        raise CorruptBooks("creators have money held that no month explains")


async def _left(tx: Tx, asset: Asset) -> int:
    sql = "SELECT CAST(coalesce(sum(units_left), 0) AS bigint) FROM tranche WHERE asset = :asset"
    return int(await tx.value(sql, asset=asset))


async def take_tranche(tx: Tx, asset: Asset, member: MemberId, month: Month) -> None:
    """All that is left of one month was given back."""
    await tx.run(
        "UPDATE tranche SET units_left = 0 WHERE asset = :asset AND member = :member"
        " AND month = :month",
        asset=asset, member=member, month=month.ordinal,
    )  # fmt: skip
