"""A reader's open month counts what its close then counts."""

from __future__ import annotations

from node.flows.leave import leave
from node.flows.statement import ClosedMonth, OpenMonth, month_of
from node.money import sats
from node.store import members
from tests.conftest import MONTH
from tests.flows.test_leave import node_of
from tests.world import open_world

DAY_S = 86_400
NEXT, THIRD = MONTH.plus(1), MONTH.plus(2)


async def _seen(world, name, month):
    found = await month_of(world.store, world.clock, world.rules, world.members[name], month)
    named = {thing.id: what for what, thing in world.things.items()}
    if isinstance(found, OpenMonth):
        return found, sorted([named[one] for one in (*found.counted, *found.waited)])
    assert isinstance(found, ClosedMonth)
    return found, sorted([named[one] for one in found.marked])


async def test_what_waited_counts_beside_the_month_and_nothing_else_does(store, clock):
    async with open_world(store, clock) as world:
        await world.join("ann", "bob", "cid", "eve", "fay", "sue")
        for name in ("late", "anns-own", "old"):
            await world.thing(name)
        for name, owner in {"bobs": "bob", "same": "cid", "sues": "sue", "left": "eve"}.items():
            await world.thing(name, owner)
        for name in ("late", "anns-own", "old", "left"):
            await world.flattr("ann", name)
        await world.close(MONTH)
        clock.advance(DAY_S)
        await leave(node_of(world), world.members["eve"], "eve", (), fresh=True)
        await world.claim("old", "bob")
        for name in ("late", "left"):
            await world.flattr("ann", name)
        await world.close(NEXT)
        clock.advance(DAY_S)
        await world.fund("ann", sats(1001), to_pot=True, at_s=None)
        await world.target("ann", "ann@wallet.test")
        await world.target("cid", "ann@wallet.test")
        for name in ("late", "bobs", "same", "sues"):
            await world.flattr("ann", name)
        open_, things = await _seen(world, "ann", THIRD)
        assert things == ["bobs", "sues"]
        await world.claim("late", "fay")
        await world.claim("left", "fay")
        await world.claim("anns-own", "ann")
        async with store.write() as tx:
            await members.set_suspended(tx, world.members["sue"], clock.now_us())
        open_, things = await _seen(world, "ann", THIRD)
        assert things == ["bobs", "late", "late", "late", "left"]
        assert {world.things[name].id for name in ("bobs", "late")} == open_.counted
        assert open_.split.flattrs == 5
        await world.close(THIRD)
        closed, went_to = await _seen(world, "ann", THIRD)
        assert (closed.split, went_to) == (open_.split, things)


async def test_a_month_before_that_is_not_closed_yet_waits_with_its_subscriptions(store, clock):
    async with open_world(store, clock) as world:
        await world.join("ann", "bob")
        await world.thing("song")
        await world.fund("ann", sats(1000), to_pot=True, at_s=None)
        await world.subscribe("ann", "song", 3)
        await world.close(MONTH)
        clock.set(NEXT.ends_s + DAY_S)
        await world.claim("song", "bob")
        open_, things = await _seen(world, "ann", THIRD)
        assert things == ["song"] * 3
        assert len(open_.waited) == 2
        await world.close(NEXT)
        await world.close(THIRD)
        closed, went_to = await _seen(world, "ann", THIRD)
        assert went_to == things
        assert closed.split.flattrs == open_.split.flattrs
