"""A month's split when less was got of some readers than their shares: their pots are what was got.

    rows of the readers ──got──▶ smaller pots, split by the same rule ──marks──▶ what things lose

Nobody else's row changes. What of such a pot can't be split equally was charged all the same, so it
can't stay in the pot as a carry: it goes back to the reader, less the tenth that the vault takes of
all that it charges.
"""

from __future__ import annotations

import numpy as np

from node.errors import CorruptBooks
from node.settlement.month_split import READER_COLUMNS, THING_COLUMNS
from node.settlement.split import Units, split_pots
from node.settlement.vault_file import COMMISSION_DIVISOR

_COUNT = READER_COLUMNS.index("flattrs")
_SHARE = READER_COLUMNS.index("share")
_COMMISSION = READER_COLUMNS.index("commission")
_NET = THING_COLUMNS.index("net")


def limit_readers(readers: Units, got: Units, commission_bps: int) -> Units:
    """These rows of READER_COLUMNS with the pots `got`, one for each, split by the same rule."""
    counted = readers[:, _COUNT]
    split = split_pots(got, counted, commission_bps)
    columns = (readers[:, 0], got, counted, split.share, split.commission, split.carry)
    return np.stack(columns, axis=1)


def limit_things(things: Units, before: Units, after: Units, marks: Units) -> Units:
    """Rows of THING_COLUMNS without what the limited readers do not give any more.

    `before` and `after` are the rows of these readers, in order of members; `marks` are rows
    (member, thing) of all their flattrs that counted. Raises CorruptBooks when these are others.
    """
    reader = np.searchsorted(before[:, 0], marks[:, 0])
    thing = np.searchsorted(things[:, 0], marks[:, 1])
    if not np.array_equal(np.bincount(reader, minlength=len(before)), before[:, _COUNT]):
        raise CorruptBooks("the flattrs of a reader are not those that were split")
    left = things.copy()
    np.subtract.at(left[:, _NET], thing, (_net(before) - _net(after))[reader])
    if (left[:, _NET] < 0).any():
        raise CorruptBooks("a thing would lose more than it was given")
    return left


def give_back(dust: Units) -> tuple[Units, Units]:
    """(what goes back, the vault's part) of what was charged and no share took, row by row.

    The vault's is a tenth of all of it, rounded down: each row has what the sum has grown by.
    """
    tenth = np.diff(np.cumsum(dust) // COMMISSION_DIVISOR, prepend=0)
    return dust - tenth, tenth


def _net(readers: Units) -> Units:
    return readers[:, _SHARE] - readers[:, _COMMISSION]
