"""What each click on some things brought in a closed month, read one part of the readers at a time.

The close keeps one share for each reader, and the packed flattrs say on what. Both never change, so
what is found here is as exact as the close itself. Memory is bounded by a part and by the clicks on
these things, not by the month; a month of ten million clicks takes some seconds to look through,
which is why what was found is kept (`known.py`).
"""

from __future__ import annotations

import asyncio
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from node.money import Asset
from node.month import Month
from node.settlement.month_split import PAIR_COLUMNS, READER_COLUMNS, unpack
from node.store import earnings, flattrs
from node.store.engine import Tx
from node.store.flattrs import PackedReaders

Units: TypeAlias = NDArray[np.int64]


async def click_values(tx: Tx, month: Month, asset: Asset, things: Units) -> tuple[Units, Units]:
    """(thing, what its creator got for it) of every click that counted on these things.

    In base units, without the commission; in order of thing, then of value.
    """
    found = [(np.zeros(0, np.int64), np.zeros(0, np.int64))]
    for first, last in await earnings.reader_spans(tx, month, asset):
        readers, pending, excluded = [
            unpack(await earnings.part_from(tx, month, asset, kind, first), len(columns))
            for kind, columns in (
                ("reader", READER_COLUMNS), ("pending", PAIR_COLUMNS), ("excluded", PAIR_COLUMNS),
            )
        ]  # fmt: skip
        packed = await flattrs.months_between(tx, month, first, last)
        found.append(await asyncio.to_thread(_of_part, things, readers, packed, pending, excluded))
    marked, values = (np.concatenate(columns) for columns in zip(*found, strict=True))
    order = np.lexsort((values, marked))
    return marked[order], values[order]


def _of_part(
    things: Units, readers: Units, packed: PackedReaders, pending: Units, excluded: Units
) -> tuple[Units, Units]:
    members, lengths, marked = packed
    pairs = np.stack([np.repeat(members, lengths), marked.astype(np.int64)], axis=1)
    pairs = np.concatenate([pairs[np.isin(pairs[:, 1], things)],
                            pending[np.isin(pending[:, 1], things)]])  # fmt: skip
    place = np.searchsorted(readers[:, 0], pairs[:, 0])
    place[place == len(readers)] = 0
    counts = (readers[place, 0] == pairs[:, 0]) & ~np.isin(_key(pairs), _key(excluded))
    place = place[counts]
    return pairs[counts, 1], readers[place, 3] - readers[place, 4]


def _key(pairs: Units) -> Units:
    return (pairs[:, 0] << 32) | pairs[:, 1]
