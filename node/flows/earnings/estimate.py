"""What the open month would bring if it closed now: an estimate, the same for everybody who asks.

The whole month is split as a close would split it, for all creators at once, and the result serves
them all until it is old. How old grows with the month: a month of ten million flattrs takes some
seconds to split, and is split once in three minutes at most, however many creators look.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from node.clock import this_month
from node.errors import Conflict
from node.flows.close import Closing, preview
from node.flows.dues import pays_dues
from node.flows.earnings.known import Earned
from node.flows.waits import why_it_waits
from node.ids import MemberId, ThingId
from node.ledger import accounts
from node.money import Amount, Asset
from node.month import Month
from node.store import earnings, journal, members
from node.store.engine import Tx

FRESH_S: Final = 10
FLATTRS_A_SECOND: Final = 50_000
"""An estimate of so many flattrs may be a second older."""

Units: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """One creator's open month in one asset, as it was at `as_of_us`.

    `clicks` is live: how many members have flattred each thing, whether it counts yet or not.
    `waits`: why it would not be paid at once; None if it would.
    """

    month: Month
    asset: Asset
    as_of_us: int
    things: tuple[Earned, ...]
    clicks: dict[int, int]
    waits: str | None

    @property
    def total(self) -> Amount:
        """What all things would bring."""
        return Amount(sum(one.units for one in self.things), self.asset)


@dataclass(frozen=True, slots=True)
class _Split:
    """Rows of THING_COLUMNS of one month, of all creators."""

    month: Month
    at_us: int
    until_us: int
    rows: Units


class Estimates:
    """The newest split of the open month in each asset."""

    def __init__(self) -> None:
        self._splits: dict[Asset, _Split] = {}
        self._splitting = asyncio.Lock()

    async def of(self, closing: Closing, creator: MemberId) -> Estimate | None:
        """A creator's estimate; None while this month is being closed (the next one has begun)."""
        split = await self._split(closing)
        if split is None:
            return None
        mine = split.rows[split.rows[:, 1] == creator]
        things = tuple(
            Earned(ThingId(thing), count, net, None) for thing, _, count, net in mine.tolist()
        )
        total = Amount(sum(one.units for one in things), closing.rules.asset)
        async with closing.store.read() as tx:
            clicks = await earnings.counts_of_owner(tx, creator, split.month)
            waits = await _waits(tx, closing, creator, split.month, total)
        return Estimate(split.month, total.asset, split.at_us, things, clicks, waits)

    async def _split(self, closing: Closing) -> _Split | None:
        asset = closing.rules.asset
        async with self._splitting:
            month, now_us = this_month(closing.clock), closing.clock.now_us()
            known = self._splits.get(asset)
            if known is not None and known.month == month and now_us < known.until_us:
                return known
            try:
                split = (await preview(closing, month)).split
            except Conflict:
                return None
            age_s = FRESH_S + split.flattrs // FLATTRS_A_SECOND
            found = _Split(month, now_us, now_us + age_s * 1_000_000, split.things())
            self._splits[asset] = found
            return found


async def _waits(
    tx: Tx, closing: Closing, creator: MemberId, month: Month, total: Amount
) -> str | None:
    rules = closing.rules
    target = await members.target_of(tx, creator, rules.asset)
    who = await members.get(tx, creator)
    earned = await journal.balance(tx, accounts.earned(rules.asset, creator))
    held = await journal.balance(tx, accounts.held(rules.asset, creator))
    return why_it_waits(
        rules, total, earned + held, target, closing.clock.now_us(),
        pays_dues=await pays_dues(tx, month, rules.dues, closing.others, creator),
        suspended=who is not None and who.suspended_us is not None,
    )  # fmt: skip
