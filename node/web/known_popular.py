"""The most flattred things, read once in FRESH_S however often they are asked for.

Each reading looks at the counters of a whole month or week. Who asks while one is read waits for
the same.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Final, TypeAlias

from node.clock import Clock
from node.flows import public
from node.month import Month
from node.store.engine import Store
from node.store.things import Thing

FRESH_S: Final = 60
LENGTH: Final = 200
"""How many things of a list are kept: a page of the API at most."""
KEPT_MAX: Final = 24
Ranking: TypeAlias = list[tuple[Thing, int]]


class KnownPopular:
    """What was flattred most, as this process knows it."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._kept: dict[Month | None, tuple[Ranking, int]] = {}
        self._reading: defaultdict[Month | None, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def of_month(self, month: Month) -> Ranking:
        """The most flattred of a month, and how often each was."""
        return await self._read(month)

    async def of_week(self) -> Ranking:
        """The most flattred of the last seven days."""
        return await self._read(None)

    async def _read(self, month: Month | None) -> Ranking:
        async with self._reading[month]:
            known = self._kept.get(month)
            if known is not None and known[1] > self._clock.now_us():
                return known[0]
            if month is None:
                found = await public.most_flattred_week(self._store, self._clock, LENGTH)
            else:
                found = await public.most_flattred(self._store, month, LENGTH)
            self._keep(month, found)
        return found

    def _keep(self, month: Month | None, found: Ranking) -> None:
        if len(self._kept) >= KEPT_MAX and month not in self._kept:
            oldest = next(iter(self._kept))
            del self._kept[oldest], self._reading[oldest]
        self._kept[month] = (found, self._clock.now_us() + FRESH_S * 1_000_000)
