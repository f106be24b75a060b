"""Nobody is named who did not say so."""

from __future__ import annotations

from node.flows.fold import fold
from node.flows.leave import leave
from node.flows.readers import readers_of, set_shows_flattrs
from node.store import members
from tests.flows.test_leave import node_of
from tests.world import open_world


async def test_only_readers_who_show_it_are_named_and_hiding_works_at_once(store, clock):
    async with open_world(store, clock) as world:
        await world.join("ann", "bob", "cid", "dee", "eve")
        await world.thing("eves", "eve")
        await world.thing("bobs", "bob")
        for name in ("ann", "bob", "cid", "dee"):
            await world.flattr(name, "eves")
        await world.flattr("eve", "bobs")
        await fold(store, clock)
        eve = world.members["eve"]
        assert await readers_of(store, clock, eve) == []
        for name in ("dee", "ann", "cid", "eve"):
            await set_shows_flattrs(store, world.members[name], True)
        assert await readers_of(store, clock, eve) == ["ann", "cid", "dee"]
        assert await readers_of(store, clock, world.members["bob"]) == ["eve"]
        assert await readers_of(store, clock, world.members["ann"]) == []
        await set_shows_flattrs(store, world.members["ann"], False)
        async with store.write() as tx:
            await members.set_suspended(tx, world.members["cid"], 1)
        assert await readers_of(store, clock, eve) == ["dee"]
        await leave(node_of(world), world.members["dee"], "dee", (), fresh=True)
        assert await readers_of(store, clock, eve) == []
