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
from node.ids import MemberId
from node.ledger import accounts
from node.money import Amount
from node.month import Month
from node.settlement.month_split import READER_COLUMNS, unpack
from node.store import closes, journal
from node.store.closes import Stage
from node.store.engine import Tx

Units: TypeAlias = NDArray[np.int64]


async def dues_paid_by(tx: Tx, month: Month, dues: Amount, others: Sequence[Rules]) -> Units | None:
    """Members who have paid the dues of a month, closed or open; None: there are no dues.

    `dues`: of the asset that is asked about; `others`: the rules of the node's other assets.
    """
    if not dues:
        return None
    paid = [await _with_pot(tx, month, one) for one in _every(dues, others)]
    return np.unique(np.concatenate(paid))


async def pays_dues(
    tx: Tx, month: Month, dues: Amount, others: Sequence[Rules], member: MemberId
) -> bool:
    """Whether one member is among them, or there are no dues; of a month that no asset has split.

    It reads the pots of that member alone.
    """
    pots = [
        (await journal.balance(tx, accounts.pot(one.asset, member, month)), one)
        for one in _every(dues, others)
    ]
    return not dues or any(pot >= one for pot, one in pots)


def _every(dues: Amount, others: Sequence[Rules]) -> list[Amount]:
    """The dues in each asset that has some."""
    return [one for one in (dues, *(rules.dues for rules in others)) if one]


async def _with_pot(tx: Tx, month: Month, dues: Amount) -> Units:
    close = await closes.get(tx, month, dues.asset)
    if close is None or close.stage.number < Stage.SPLIT.number:
        members, pots = await closes.pots(tx, month, dues.asset)
    else:
        blobs = await closes.parts(tx, month, dues.asset, "reader")
        readers = unpack(b"".join(blobs), len(READER_COLUMNS))
        members, pots = readers[:, 0], readers[:, 1]
    return members[pots >= dues.units]
