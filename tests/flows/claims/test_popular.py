"""The most flattred of the week and of the month, and what is public of a thing and a creator."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from node.clock import ManualClock
from node.errors import NotFound
from node.flows import public
from node.flows.fold import DAYS_KEPT, fold
from node.ids import ThingId
from node.store import members, popularity
from node.store.engine import Store
from tests.conftest import MONTH
from tests.world import World, open_world

DAY_S = 86_400
START = (popularity.MOST, ThingId(0))


@pytest.fixture
async def world(store: Store, clock: ManualClock) -> AsyncIterator[World]:
    async with open_world(store, clock) as opened:
        await opened.join("r1", "r2", "r3", "maker", "quiet")
        for name in ("a", "b", "c"):
            await opened.thing(name, "maker" if name != "c" else None)
        yield opened


async def _week(world: World) -> list[tuple[str, int]]:
    await fold(world.store, world.clock)
    found = await public.most_flattred_week(world.store, world.clock, 10)
    return [(thing.title, count) for thing, count in found]


async def test_the_week_is_the_last_seven_days(world: World) -> None:
    await world.flattr("r1", "a")
    await world.flattr("r2", "a")
    await world.flattr("r1", "b")
    assert await _week(world) == [("a", 2), ("b", 1)]
    world.clock.advance(3 * DAY_S)
    for name in ("r1", "r2", "r3"):
        await world.flattr(name, "c")
    assert await _week(world) == [("c", 3), ("a", 2), ("b", 1)]
    world.clock.advance(4 * DAY_S)
    assert await _week(world) == [("c", 3)]
    world.clock.advance(3 * DAY_S)
    assert await _week(world) == []


async def test_an_undone_flattr_counts_for_nothing(world: World) -> None:
    await world.flattr("r1", "a")
    await world.flattr("r1", "a")
    await world.flattr("r2", "b")
    assert await _week(world) == [("a", 1), ("b", 1)]
    world.clock.advance(DAY_S)
    await world.undo("r1", "a")
    assert await _week(world) == [("b", 1)]


async def test_old_days_are_not_kept(world: World) -> None:
    await world.flattr("r1", "a")
    await fold(world.store, world.clock)
    world.clock.advance(DAYS_KEPT * DAY_S)
    await world.flattr("r1", "b")
    await fold(world.store, world.clock)
    async with world.store.read() as tx:
        assert await tx.value("SELECT count(*) FROM thing_day") == 1


async def test_a_week_goes_on_through_the_end_of_a_month(world: World) -> None:
    world.clock.set(MONTH.ends_s - DAY_S)
    await world.flattr("r1", "a")
    await fold(world.store, world.clock)
    world.clock.advance(2 * DAY_S)
    await world.flattr("r1", "a")
    assert await _week(world) == [("a", 2)]


async def test_a_thing_tells_its_months_and_its_owner(world: World) -> None:
    await world.flattr("r1", "a")
    await world.flattr("r2", "a")
    await fold(world.store, world.clock)
    world.clock.set(MONTH.ends_s)
    await world.flattr("r1", "a")
    await world.flattr("r1", "c")
    await fold(world.store, world.clock)
    story = await public.thing_story(world.store, world.clock, world.things["a"].id)
    assert story.by_month == {MONTH.plus(1): 1, MONTH: 2}
    assert (story.creator, story.counters.flattrs, story.counters.waiting) == ("maker", 3, 0)
    waits = await public.thing_story(world.store, world.clock, world.things["c"].id)
    assert (waits.creator, waits.counters.waiting) == (None, 1)
    with pytest.raises(NotFound):
        await public.thing_story(world.store, world.clock, ThingId(99))


async def test_a_creator_tells_all_the_things_page_by_page(world: World) -> None:
    for name, things in {"r1": "ab", "r2": "b"}.items():
        for thing in things:
            await world.flattr(name, thing)
    await fold(world.store, world.clock)
    world.clock.set(MONTH.ends_s)
    await world.flattr("r1", "a")
    await fold(world.store, world.clock)
    await world.thing("d", "maker")
    seen, after = [], START
    while page := (await public.creator_story(world.store, world.clock, "maker", 1, after)).things:
        seen += [(one.thing.title, one.flattrs, one.lately) for one in page]
        after = (page[-1].flattrs, page[-1].thing.id)
    assert seen == [("a", 2, 1), ("b", 2, 0), ("d", 0, 0)]
    story = await public.creator_story(world.store, world.clock, "maker", 9, START)
    assert story.count == popularity.CreatorCount(3, 4, 1)
    assert await public.flattrs_today(world.store, world.clock, story.id) == 1
    world.clock.set(MONTH.ends_s + 86_400)
    assert await public.flattrs_today(world.store, world.clock, story.id) == 0
    newest = await public.newest_things(world.store, "maker", 2)
    assert [one.title for one in newest] == ["d", "b"]


async def test_who_owns_nothing_is_nobodys_business(world: World) -> None:
    for name in ("r1", "quiet", "nobody"):
        with pytest.raises(NotFound):
            await public.creator_story(world.store, world.clock, name, 9, START)
        with pytest.raises(NotFound):
            await public.newest_things(world.store, name, 9)


async def test_who_is_suspended_is_not_shown(world: World) -> None:
    async with world.store.write() as tx:
        await members.set_suspended(tx, world.members["maker"], world.clock.now_us())
    with pytest.raises(NotFound):
        await public.creator_story(world.store, world.clock, "maker", 9, START)
    story = await public.thing_story(world.store, world.clock, world.things["a"].id)
    assert story.creator is None
