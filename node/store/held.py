"""What creators have held, month by month, until their dues are paid or it goes back."""

from __future__ import annotations

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


async def take_tranches(tx: Tx, asset: Asset, member: MemberId, units: int) -> None:
    """Held money of a creator was used, oldest month first."""
    rows = await tx.rows(
        "SELECT month, units_left FROM tranche WHERE asset = :asset AND member = :member"
        " AND units_left > 0 ORDER BY month",
        asset=asset, member=member,
    )  # fmt: skip
    for row in rows:
        taken = min(units, row.units_left)
        units -= taken
        await tx.run(
            "UPDATE tranche SET units_left = units_left - :taken WHERE asset = :asset"
            " AND member = :member AND month = :month",
            taken=taken, asset=asset, member=member, month=row.month,
        )  # fmt: skip
    if units:
        raise CorruptBooks(f"member {member} has {units} base units held that no month explains")


async def take_tranche(tx: Tx, asset: Asset, member: MemberId, month: Month) -> None:
    """All that is left of one month was given back."""
    await tx.run(
        "UPDATE tranche SET units_left = 0 WHERE asset = :asset AND member = :member"
        " AND month = :month",
        asset=asset, member=member, month=month.ordinal,
    )  # fmt: skip
