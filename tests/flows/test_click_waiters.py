"""A click's waiter that goes away takes nothing from the others of its group."""

from __future__ import annotations

import asyncio

import pytest

from node.flows import claim, join
from node.flows.flattr import open_clicks
from node.flows.fold import standing
from node.month import Month
from node.store.engine import open_store


async def test_a_caller_that_goes_away_leaves_the_group_whole(tmp_path, clock):
    async with (
        open_store(f"sqlite:///{tmp_path / 'flattr.sqlite'}") as store,
        open_clicks(store, clock) as clicks,
    ):
        member, _ = await join.join(store, clock, "alice")
        things = [await claim.add_thing(store, clock, f"https://a.example/{n}", "") for n in "abc"]
        waiting = [asyncio.create_task(clicks.flattr(member, one, None, "")) for one in things]
        await asyncio.sleep(0)  # all three are in one group now
        waiting[1].cancel()
        done = await asyncio.gather(*waiting, return_exceptions=True)
        assert isinstance(done[1], asyncio.CancelledError)
        landed = [one.thing for one in done if not isinstance(one, BaseException)]
        assert landed == [things[0].id, things[2].id]
        async with store.read() as tx:
            row = await standing(tx, member, Month.at(clock.now_us() // 1_000_000))
        assert row.things == {one.id for one in things}


@pytest.mark.parametrize("key", ["", "k"])
async def test_a_cancelled_wait_ends_with_the_group(tmp_path, clock, key):
    async with (
        open_store(f"sqlite:///{tmp_path / 'flattr.sqlite'}") as store,
        open_clicks(store, clock) as clicks,
    ):
        member, _ = await join.join(store, clock, "alice")
        thing = await claim.add_thing(store, clock, "https://a.example/", "")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await clicks.flattr(member, thing, None, key)
