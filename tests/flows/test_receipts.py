"""Receipts explain a month to the base unit: what readers gave is what creators got."""

from node.flows.receipts import contributions, earnings, receipt
from node.money import Asset, sats
from tests.conftest import MONTH
from tests.world import open_world


async def test_what_readers_gave_is_what_creators_got(store, clock):
    async with open_world(store, clock) as world:
        readers, creators = ("ann", "bob", "cid"), ("dan", "eve")
        await world.join(*readers, *creators)
        for creator in creators:
            await world.thing(f"{creator}-1", creator)
            await world.thing(f"{creator}-2", creator)
        for number, reader in enumerate(readers):
            await world.fund(reader, sats(5001 + 777 * number), to_pot=True, at_s=None)
            await world.flattr(reader, "dan-1")
            await world.flattr(reader, "eve-2")
        await world.flattr("bob", "dan-2")
        closed = await world.close(MONTH)
        async with store.read() as tx:
            got = 0
            for creator in creators:
                member = world.members[creator]
                given = await contributions(tx, MONTH, Asset.SAT, member)
                earned = await earnings(tx, MONTH, Asset.SAT, member)
                assert sum(one.units for one in given) == sum(one.net for one in earned)
                got += sum(one.units for one in given)
            figures = closed.figures
            assert got == figures.distributed - figures.commission
            assert figures.commission * 10 == figures.distributed
            for reader in readers:
                mine = await receipt(tx, MONTH, Asset.SAT, world.members[reader])
                assert mine is not None
                assert mine.flattrs == len(mine.things)
                assert mine.pot == mine.share * mine.flattrs + mine.carry


async def test_without_a_pot_there_is_no_receipt(store, clock):
    async with open_world(store, clock) as world:
        await world.join("ann")
        await world.close(MONTH)
        async with store.read() as tx:
            assert await receipt(tx, MONTH, Asset.SAT, world.members["ann"]) is None
