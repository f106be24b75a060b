"""What a creator's earnings are read from: parts of closes one at a time, and live counters."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from node.ids import MemberId
from node.money import Asset
from node.month import Month
from node.store.engine import Tx

Units: TypeAlias = NDArray[np.int64]


async def reader_spans(tx: Tx, month: Month, asset: Asset) -> list[tuple[int, int]]:
    """(first, last) member of each part of a closed month's readers, in order."""
    rows = await tx.rows(
        "SELECT first, last FROM close_part WHERE month = :month AND asset = :asset"
        " AND kind = 'reader' ORDER BY first",
        month=month.ordinal, asset=asset,
    )  # fmt: skip
    return [(int(row.first), int(row.last)) for row in rows]


async def part_from(tx: Tx, month: Month, asset: Asset, kind: str, first: int) -> bytes:
    """The part of a kind that begins with this member; empty if there is none."""
    found = await tx.value(
        "SELECT rows FROM close_part WHERE month = :month AND asset = :asset AND kind = :kind"
        " AND first = :first",
        month=month.ordinal, asset=asset, kind=kind, first=first,
    )  # fmt: skip
    return b"" if found is None else bytes(found)


async def counts_of_owner(tx: Tx, owner: MemberId, month: Month) -> dict[int, int]:
    """How many members have flattred each of the owner's things in a month, if any has."""
    rows = await tx.rows(
        "SELECT thing.id, flattrs FROM thing JOIN thing_count ON thing_count.thing = thing.id"
        " AND month = :month WHERE owner = :owner AND flattrs > 0",
        owner=owner, month=month.ordinal,
    )  # fmt: skip
    return {int(row.id): int(row.flattrs) for row in rows}
