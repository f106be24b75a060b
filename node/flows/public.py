"""What everybody may see: counters, the most flattred, and the totals of closed months."""

from __future__ import annotations

from dataclasses import dataclass

from node.clock import Clock, this_month
from node.errors import NotFound
from node.flows.rules import Rules
from node.flows.split import PENDING_MONTHS
from node.ids import ThingId
from node.month import Month
from node.store import closes, things
from node.store.closes import Close, Stage
from node.store.engine import Store, Tx
from node.store.things import Thing


@dataclass(frozen=True, slots=True)
class Popularity:
    """How often a thing was flattred. `waiting`: flattrs that an owner to come may yet get."""

    thing: Thing
    flattrs: int
    this_month: int
    waiting: int


async def popularity(store: Store, clock: Clock, thing: ThingId) -> Popularity:
    """A thing and its counters. Raises NotFound."""
    async with store.read() as tx:
        return await _popularity(tx, clock, await things.get(tx, thing))


async def popularity_of_url(store: Store, clock: Clock, canonical: str) -> Popularity:
    """The same, by canonical URL. Raises NotFound."""
    async with store.read() as tx:
        return await _popularity(tx, clock, await things.by_url(tx, canonical))


async def most_flattred(store: Store, month: Month, limit: int) -> list[tuple[Thing, int]]:
    """The things with the most flattrs in a month, and how many each has."""
    async with store.read() as tx:
        return await things.most_flattred(tx, month, limit)


async def closed_months(
    store: Store, rules: Rules, before: Month | None, limit: int
) -> list[Close]:
    """Months whose result is booked, newest first."""
    async with store.read() as tx:
        found = await closes.all_of(tx, rules.asset)
    booked = [one for one in found if one.stage.number >= Stage.BOOKED.number]
    return [one for one in booked if before is None or one.month < before][:limit]


async def _popularity(tx: Tx, clock: Clock, thing: Thing | None) -> Popularity:
    if thing is None:
        raise NotFound("there is no such thing here: nobody has flattred or added it yet")
    by_month = await things.counts_of(tx, thing.id)
    this = this_month(clock)
    since = this.plus(-PENDING_MONTHS)
    waiting = 0
    if thing.owner is None:
        waiting = sum(count for month, count in by_month.items() if month >= since)
    return Popularity(thing, sum(by_month.values()), by_month.get(this, 0), waiting)
