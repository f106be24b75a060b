"""A creator's closed months, thing by thing; what was found once is kept, because it never changes.

A month is looked through for one creator at a time: whoever asks for another waits. So a thousand
creators who look at their earnings after a close cost one processor, and no memory to speak of.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from node.errors import CorruptBooks
from node.flows import receipts
from node.flows.earnings.clicks import click_values
from node.flows.receipts import ThingEarning
from node.ids import MemberId, ThingId
from node.money import Amount, Asset
from node.month import Month
from node.store import closes, members
from node.store.closes import Stage
from node.store.engine import Store, Tx

ROWS_KEPT_MAX: Final = 500_000

Units: TypeAlias = NDArray[np.int64]
_Key: TypeAlias = tuple[Asset, Month, MemberId]


@dataclass(frozen=True, slots=True)
class Earned:
    """What one thing brought: `clicks` that counted, and what the creator got for them.

    `units` is exact and without the commission. The average of a click is rounded down to a base
    unit; the median is the lower one of two. Both are None while the month is open.
    """

    thing: ThingId
    clicks: int
    units: int
    median: int | None

    @property
    def average(self) -> int:
        """Base units a click, rounded down."""
        return self.units // self.clicks if self.clicks else 0


@dataclass(frozen=True, slots=True)
class EarnedMonth:
    """A creator's closed month in one asset; things in order of id."""

    month: Month
    asset: Asset
    things: tuple[Earned, ...]

    @property
    def total(self) -> Amount:
        """What all things brought."""
        return Amount(sum(one.units for one in self.things), self.asset)

    @property
    def clicks(self) -> int:
        """How many clicks counted."""
        return sum(one.clicks for one in self.things)


class KnownEarnings:
    """The closed months that this process has looked through, for the creators who asked."""

    def __init__(self, rows_kept_max: int = ROWS_KEPT_MAX) -> None:
        self._kept: OrderedDict[_Key, EarnedMonth] = OrderedDict()
        self._rows = 0
        self._rows_max = rows_kept_max
        self._looking = asyncio.Lock()

    async def month(
        self, store: Store, asset: Asset, month: Month, creator: MemberId
    ) -> EarnedMonth | None:
        """One closed month; None while it is open, or its result is not booked."""
        async with store.read() as tx:
            close = await closes.get(tx, month, asset)
        if close is None or close.stage.number < Stage.BOOKED.number:
            return None
        return await self._find(store, (asset, month, creator))

    async def months(
        self, store: Store, asset: Asset, creator: MemberId, limit: int, skip: int = 0
    ) -> list[EarnedMonth]:
        """Closed months, newest first, those without earnings too: `limit` after the first `skip`.

        Months before the creator joined are left out.
        """
        booked = await closed_months(store, asset, creator)
        return [
            await self._find(store, (asset, month, creator))
            for month in booked[skip : skip + limit]
        ]

    async def _find(self, store: Store, key: _Key) -> EarnedMonth:
        async with self._looking:
            if (known := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                return known
            async with store.read() as tx:
                found = await _look_through(tx, *key)
            self._keep(key, found)
        return found

    def _keep(self, key: _Key, found: EarnedMonth) -> None:
        self._kept[key] = found
        self._rows += 1 + len(found.things)
        while self._rows > self._rows_max and self._kept:
            _, gone = self._kept.popitem(last=False)
            self._rows -= 1 + len(gone.things)


async def closed_months(store: Store, asset: Asset, member: MemberId) -> list[Month]:
    """Months whose result is booked in an asset, newest first, back to when the member joined."""
    async with store.read() as tx:
        found = await closes.all_of(tx, asset)
        who = await members.get(tx, member)
    joined = Month.at(who.created_us // 1_000_000) if who else None
    return [
        one.month
        for one in found
        if one.stage.number >= Stage.BOOKED.number and (joined is None or one.month >= joined)
    ]


async def _look_through(tx: Tx, asset: Asset, month: Month, creator: MemberId) -> EarnedMonth:
    rows = await receipts.earnings(tx, month, asset, creator)
    things = np.array([one.thing for one in rows], np.int64)
    if not rows:
        return EarnedMonth(month, asset, ())
    marked, values = await click_values(tx, month, asset, things)
    return EarnedMonth(month, asset, tuple(_with_medians(rows, marked, values)))


def _with_medians(rows: Sequence[ThingEarning], marked: Units, values: Units) -> list[Earned]:
    """Add the medians; raises CorruptBooks when the clicks do not come to what was booked."""
    found = []
    for row in rows:
        first, after = np.searchsorted(marked, [row.thing, row.thing + 1]).tolist()
        if (after - first, int(values[first:after].sum())) != (row.flattrs, row.net):
            raise CorruptBooks(f"the clicks on thing {row.thing} do not come to what it earned")
        median = int(values[first + (after - first - 1) // 2])
        found.append(Earned(row.thing, row.flattrs, row.net, median))
    return found
