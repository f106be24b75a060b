"""Subscriptions fire when a month is folded for its close, and each is counted."""

from node.flows.flattr import open_clicks
from node.flows.fold import fold, standing
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


async def test_another_click_under_a_key_that_another_process_has_used_counts(store, clock):
    """That one can't see the key until it is folded: what it has acknowledged is not lost."""
    async with open_world(store, clock) as world, open_clicks(store, clock) as beside:
        await world.join("ann")
        for name in ("song", "film"):
            await world.thing(name)
        ann = world.members["ann"]
        await world.flattr("ann", "song", "k")
        for _ in range(2):  # told twice, as one that had no answer
            assert (await beside.flattr(ann, world.things["film"], None, "k")).flattred
            await beside.undo(ann, world.things["song"], None, "other")
        await world.flattr("ann", "song", "k")
        await fold(store, clock)
        async with store.read() as tx:
            month = await standing(tx, ann, MONTH)
        assert month.things == {world.things["film"].id}
