"""What everybody may see: counters, the most flattred, and the totals of closed months."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from node.clock import Clock, this_month
from node.errors import NoStablecoin, NotFound
from node.flows.node import Node
from node.flows.split import PENDING_MONTHS
from node.flows.vault.plan import FILE
from node.ids import MemberId, ThingId
from node.money import Asset
from node.month import Month
from node.settlement.vault_file import file_hash
from node.store import closes, members, things
from node.store import popularity as ranking
from node.store.closes import Close, Stage
from node.store.engine import Store, Tx
from node.store.members import Member
from node.store.popularity import Counted, CreatorCount
from node.store.things import Thing

WEEK_DAYS: Final = 7
_DAY_US: Final = 86_400 * 1_000_000
_NO_CREATOR: Final = "there is no creator of this name who owns something here"


@dataclass(frozen=True, slots=True)
class Popularity:
    """How often a thing was flattred. `waiting`: flattrs that an owner to come may yet get."""

    thing: Thing
    flattrs: int
    this_month: int
    waiting: int


@dataclass(frozen=True, slots=True)
class ThingStory:
    """A thing, its counters and its months, newest first; the name of its owner if it has one."""

    counters: Popularity
    by_month: dict[Month, int]
    creator: str | None


@dataclass(frozen=True, slots=True)
class CreatorStory:
    """A creator, what the things come to, and some of them."""

    id: MemberId
    name: str
    count: CreatorCount
    things: list[Counted]


async def popularity(store: Store, clock: Clock, thing: ThingId) -> Popularity:
    """A thing and its counters. Raises NotFound."""
    async with store.read() as tx:
        return await popularity_in(tx, clock, await things.get(tx, thing))


async def popularity_of_url(store: Store, clock: Clock, canonical: str) -> Popularity:
    """The same, by canonical URL. Raises NotFound."""
    async with store.read() as tx:
        return await popularity_in(tx, clock, await things.by_url(tx, canonical))


async def popularity_in(tx: Tx, clock: Clock, thing: Thing | None) -> Popularity:
    """The same, in a transaction that is open. Raises NotFound."""
    if thing is None:
        raise NotFound("there is no such thing here: nobody has flattred or added it yet")
    return _counted(thing, await things.counts_of(tx, thing.id), this_month(clock))


async def popularities(
    store: Store, clock: Clock, ids: Sequence[ThingId]
) -> dict[ThingId, Popularity]:
    """The counters of these things, by id; what is not there is left out."""
    async with store.read() as tx:
        found = await things.many(tx, ids)
        return await _all_counted(tx, clock, found)


async def popularities_of_urls(
    store: Store, clock: Clock, urls: Sequence[str]
) -> dict[str, Popularity]:
    """The same by canonical URL."""
    async with store.read() as tx:
        found = await things.by_urls(tx, urls)
        counted = await _all_counted(tx, clock, {one.id: one for one in found.values()})
    return {one.thing.url: one for one in counted.values()}


async def most_flattred(store: Store, month: Month, limit: int) -> list[tuple[Thing, int]]:
    """The things with the most flattrs in a month, and how many each has."""
    async with store.read() as tx:
        return await things.most_flattred(tx, month, limit)


async def most_flattred_week(store: Store, clock: Clock, limit: int) -> list[tuple[Thing, int]]:
    """The same for the last seven days, today included; clicks alone, not what repeats."""
    since = clock.now_us() // _DAY_US - WEEK_DAYS + 1
    async with store.read() as tx:
        return await ranking.most_since(tx, since, limit)


async def thing_story(store: Store, clock: Clock, thing: ThingId) -> ThingStory:
    """What everybody may know of a thing. Raises NotFound."""
    async with store.read() as tx:
        found = await things.get(tx, thing)
        counters = await popularity_in(tx, clock, found)
        by_month = await things.counts_of(tx, thing)
        owner = counters.thing.owner
        creator = None if owner is None else await members.get(tx, owner)
    shown = creator is not None and creator.suspended_us is None
    return ThingStory(counters, by_month, creator.name if creator and shown else None)


async def creator_story(
    store: Store, clock: Clock, name: str, limit: int, after: tuple[int, ThingId]
) -> CreatorStory:
    """What everybody may know of a creator, with a page of the things: the most flattred first.

    Raises NotFound, also for members who own nothing: readers are nobody's business.
    """
    async with store.read() as tx:
        creator = await _creator(tx, name)
    count, page = await things_of(store, clock, creator.id, limit, after)
    if not count.things:
        raise NotFound(_NO_CREATOR)
    return CreatorStory(creator.id, name, count, page)


async def things_of(
    store: Store, clock: Clock, owner: MemberId, limit: int, after: tuple[int, ThingId]
) -> tuple[CreatorCount, list[Counted]]:
    """The same of a member who may own nothing yet: all in numbers, and a page of the things."""
    month = this_month(clock)
    async with store.read() as tx:
        count = await ranking.of_creator(tx, owner, month)
        return count, await ranking.things_of_creator(tx, owner, month, limit, after)


async def flattrs_today(store: Store, clock: Clock, owner: MemberId) -> int:
    """How often a member's things were flattred today (UTC); clicks alone, not what repeats."""
    async with store.read() as tx:
        return await ranking.of_creator_on(tx, owner, clock.now_us() // _DAY_US)


async def newest_things(store: Store, name: str, limit: int) -> list[Thing]:
    """A creator's things, those that were made last first. Raises NotFound."""
    async with store.read() as tx:
        creator = await _creator(tx, name)
        found = await ranking.newest_of_creator(tx, creator.id, limit)
    if not found:
        raise NotFound(_NO_CREATOR)
    return found


async def closed_months(
    store: Store, before: Month | None, limit: int
) -> list[tuple[Month, dict[Asset, Close]]]:
    """Months whose result is booked in an asset, newest first, with their closes."""
    found: dict[Month, dict[Asset, Close]] = {}
    async with store.read() as tx:
        for asset in (Asset.SAT, Asset.USD):
            for one in await closes.all_of(tx, asset):
                if one.stage.number >= Stage.BOOKED.number:
                    found.setdefault(one.month, {})[asset] = one
    newest = sorted(found.items(), reverse=True)
    return [one for one in newest if before is None or one[0] < before][:limit]


async def month_file(node: Node, month: Month) -> tuple[bytes, str]:
    """What was published of a month sealed on the vault, and its sha256, as the seal has it.

    It stays when the stablecoin is switched off. Raises NotFound until it is sealed, NoStablecoin.
    """
    async with node.store.read() as tx:
        content = b"".join(await closes.parts(tx, month, Asset.USD, FILE))
    if not content and node.stablecoin is None:
        raise NoStablecoin
    if not content:
        raise NotFound(f"nothing was sealed on the vault for {month} yet")
    return content, f"0x{file_hash(content).hex()}"


async def _creator(tx: Tx, name: str) -> Member:
    found = await members.by_name(tx, name)
    if found is None or found.suspended_us is not None:
        raise NotFound(_NO_CREATOR)
    return found


async def _all_counted(
    tx: Tx, clock: Clock, found: Mapping[ThingId, Thing]
) -> dict[ThingId, Popularity]:
    counts = await things.counts_of_many(tx, list(found))
    this = this_month(clock)
    return {id_: _counted(thing, counts.get(id_, {}), this) for id_, thing in found.items()}


def _counted(thing: Thing, by_month: Mapping[Month, int], this: Month) -> Popularity:
    since = this.plus(-PENDING_MONTHS)
    waiting = 0
    if thing.owner is None:
        free_s = (thing.released_us or 0) // 1_000_000
        waiting = sum(
            count for month, count in by_month.items() if month >= since and month.ends_s > free_s
        )
    return Popularity(thing, sum(by_month.values()), by_month.get(this, 0), waiting)
