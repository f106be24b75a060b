"""A month for the console's tests, and what its node knows afterwards."""

from __future__ import annotations

from node.flows.claim import grant
from node.flows.rounds import round_on_all_rails
from node.ids import ThingId
from node.month import Month
from node.store import operator_log, payouts
from tests.conftest import MONTH


async def acts_of(node):
    async with node.store.read() as tx:
        rows = await operator_log.everything(tx)
    return [(row.act.actor, row.act.act, row.act.subject) for row in rows]


async def states_of(node):
    async with node.store.read() as tx:
        counts = await payouts.counts(tx, node.rules.asset)
    return {state: number for state, (number, _) in counts.items()}


async def play(place, until: Month = MONTH):
    """A pot of 5000 sat, a flattr for each of two creators who can be paid; the month is over."""
    world, node = place.world, place.console.node
    reader = await world.join("rita")
    await world.fund(reader, 5000)
    for name in ("cora", "carl"):
        creator = await world.join(name)
        await world.fund(creator, 2000)
        target = {"target": world.lnurl.address("creator")}
        assert (await creator("PUT", "/payout-target", target)).status == 200
        made = await creator("POST", "/things", {"url": f"https://{name}.example/a"})
        thing = made.body["id"]
        await grant(node.store, node.clock, creator.id, ThingId(thing))
        assert (await reader("POST", "/flattrs", {"thing": thing})).status == 200
    world.clock.set(until.ends_s + 60)


async def rounds(node, number: int = 6):
    for _ in range(number):
        await round_on_all_rails(node, lambda _: None)
        node.clock.advance(40)
