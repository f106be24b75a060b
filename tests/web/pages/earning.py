"""A month in which a creator earns something, for the tests of the creators' pages."""

from __future__ import annotations

from node.flows import fund, join
from node.flows.claim import add_thing, grant
from node.flows.close import close_month
from node.money import sats
from tests.conftest import MONTH

EVIL = "<script>alert(1)</script>"


async def put(world, person, amount_sat):
    node = world.node
    made = await fund.ask_deposit(
        node.funding, person.member, sats(amount_sat), to_pot=True, key=""
    )
    await world.pay(made.payment_request)


async def earn(people, things=2, dues=True):
    """Ann gave 1000 sat to eve's things, of which the first has an evil title."""
    world, node = people.world, people.world.node
    ann, eve = await people.member("ann"), await people.member("eve")
    await put(world, ann, 1_000)
    if dues:
        await put(world, eve, 2_000)
    for number in range(1, things + 1):
        title = EVIL if number == 1 else f"Number {number}"
        url = f"https://eve.example/{number}"
        thing = await add_thing(node.store, node.clock, url, title)
        thing = await grant(node.store, node.clock, eve.member, thing.id)
        await node.clicks.flattr(ann.member, thing, None, "")
    return ann, eve


async def close(people):
    node = people.world.node
    people.world.clock.set(MONTH.ends_s)
    await close_month(node.closing(lambda _: None), MONTH)


async def target(people, person):
    node = people.world.node
    await join.set_target(
        node.store, node.clock, node.rules, node.fetcher, person.member,
        people.world.lnurl.address("creator"),
    )  # fmt: skip
