"""Who gave what to whom in a closed month, recomputed from the parts of its close.

The close writes one balance per member, not one row per flattr. A receipt is a pure function of the
stored parts and the packed flattrs of that month, both of which never change.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from node.ids import MemberId, ThingId
from node.money import Asset
from node.month import Month
from node.settlement.month_split import PAIR_COLUMNS, READER_COLUMNS, THING_COLUMNS, unpack
from node.store import closes, flattrs
from node.store.engine import Tx

Units: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Receipt:
    """One reader's closed month, in base units. Each of `things` got one `share` of the pot."""

    month: Month
    pot: int
    flattrs: int
    share: int
    commission_per_share: int
    carry: int
    things: tuple[ThingId, ...]


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one reader's shares brought a creator, without the commission."""

    reader: MemberId
    units: int


@dataclass(frozen=True, slots=True)
class ThingEarning:
    """What one thing brought its creator."""

    thing: ThingId
    flattrs: int
    net: int


async def receipt(tx: Tx, month: Month, asset: Asset, reader: MemberId) -> Receipt | None:
    """A reader's receipt; None without a pot in that month."""
    found = await summary(tx, month, asset, reader)
    if found is None:
        return None
    pairs = await counted(tx, month, asset, (reader, reader))
    return replace(found, things=tuple(ThingId(thing) for thing in pairs[:, 1].tolist()))


async def summary(tx: Tx, month: Month, asset: Asset, reader: MemberId) -> Receipt | None:
    """The same without the things, which takes one row of the month's parts."""
    blob = await closes.part_of(tx, month, asset, "reader", reader)
    rows = unpack(blob or b"", len(READER_COLUMNS))
    mine = rows[rows[:, 0] == reader]
    if not len(mine):
        return None
    _, pot, number, share, commission, carry = mine[0].tolist()
    return Receipt(month, pot, number, share, commission, carry, ())


async def contributions(
    tx: Tx, month: Month, asset: Asset, creator: MemberId
) -> list[Contribution]:
    """What each reader gave a creator in a closed month, by reader."""
    readers = unpack(b"".join(await closes.parts(tx, month, asset, "reader")), len(READER_COLUMNS))
    if not len(readers):
        return []
    span = (int(readers[0, 0]), int(readers[-1, 0]))
    pairs = await counted(tx, month, asset, span)
    things = await _things(tx, month, asset)
    mine = pairs[np.isin(pairs[:, 1], things[things[:, 1] == creator, 0])]
    givers, times = np.unique(mine[:, 0], return_counts=True)
    place = np.searchsorted(readers[:, 0], givers)
    units = (readers[place, 3] - readers[place, 4]) * times
    return [
        Contribution(MemberId(reader), given)
        for reader, given in zip(givers.tolist(), units.tolist(), strict=True)
    ]


async def earnings(tx: Tx, month: Month, asset: Asset, creator: MemberId) -> list[ThingEarning]:
    """What each of a creator's things brought in a closed month."""
    things = await _things(tx, month, asset)
    return [
        ThingEarning(ThingId(thing), count, net)
        for thing, _, count, net in things[things[:, 1] == creator].tolist()
    ]


async def counted(tx: Tx, month: Month, asset: Asset, span: tuple[int, int]) -> Units:
    """(reader, thing) of the flattrs that counted, for readers of a range; pending ones too."""
    members, lengths, marked = await flattrs.months_between(tx, month, *span)
    pairs = np.stack([np.repeat(members, lengths), marked], axis=1)
    pending = await _pairs(tx, month, asset, "pending", span)
    excluded = await _pairs(tx, month, asset, "excluded", span)
    both = np.concatenate([pairs, pending])
    owned = np.isin(both[:, 1], (await _things(tx, month, asset))[:, 0])
    readers = unpack(b"".join(await closes.parts(tx, month, asset, "reader")), len(READER_COLUMNS))
    with_pot = np.isin(both[:, 0], readers[:, 0])
    found = both[owned & with_pot & ~np.isin(_key(both), _key(excluded))]
    return found[np.lexsort((found[:, 1], found[:, 0]))]


async def _things(tx: Tx, month: Month, asset: Asset) -> Units:
    return unpack(b"".join(await closes.parts(tx, month, asset, "thing")), len(THING_COLUMNS))


async def _pairs(tx: Tx, month: Month, asset: Asset, kind: str, span: tuple[int, int]) -> Units:
    pairs = unpack(b"".join(await closes.parts(tx, month, asset, kind)), len(PAIR_COLUMNS))
    return pairs[(pairs[:, 0] >= span[0]) & (pairs[:, 0] <= span[1])]


def _key(pairs: Units) -> Units:
    return (pairs[:, 0] << 32) | pairs[:, 1]
