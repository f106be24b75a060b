"""Who has paid the dues of a month (design.md §3.5): a pot of at least the dues, in any asset.

A member is one member on both rails: with the dues in one of them, the earnings in both are paid.
Of an asset that has split the month its parts are asked, because its pots are empty by then; of one
that has not, the pots of the month as they are booked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from node.flows.rules import Rules
from node.money import Asset
from node.month import Month
from node.settlement.month_split import READER_COLUMNS, unpack
from node.store import closes
from node.store.closes import Close, Stage
from node.store.engine import Tx

Units: TypeAlias = NDArray[np.int64]


async def dues_paid_by(tx: Tx, close: Close, others: Sequence[Rules]) -> Units | None:
    """Members who have paid the dues of the closed month; None: there are no dues.

    `others`: the rules of the node's other assets.
    """
    if not close.dues_units:
        return None
    paid = [await _with_pot(tx, close.month, close.asset, close.dues_units)]
    paid += [
        await _with_pot(tx, close.month, rules.asset, rules.dues.units)
        for rules in others
        if rules.dues
    ]
    return np.unique(np.concatenate(paid))


async def _with_pot(tx: Tx, month: Month, asset: Asset, dues_units: int) -> Units:
    close = await closes.get(tx, month, asset)
    if close is None or close.stage.number < Stage.SPLIT.number:
        members, pots = await closes.pots(tx, month, asset)
    else:
        blobs = await closes.parts(tx, month, asset, "reader")
        readers = unpack(b"".join(blobs), len(READER_COLUMNS))
        members, pots = readers[:, 0], readers[:, 1]
    return members[pots >= dues_units]
