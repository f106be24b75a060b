"""Subscriptions fire when a month is folded for its close, and each is counted."""

from node.flows.public import popularity
from tests.conftest import MONTH
from tests.world import open_world


async def test_each_of_several_subscribers_to_one_thing_is_counted(store, clock):
    async with open_world(store, clock) as world:
        await world.join("ann", "bob", "eve")
        await world.thing("song")
        for name in ("ann", "bob", "eve"):
            await world.subscribe(name, "song", 3)
        await world.close(MONTH)
        assert (await popularity(store, clock, world.things["song"].id)).flattrs == 3
