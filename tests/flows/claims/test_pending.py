"""What waited on a site's things joins the split of the month in which the site is claimed."""

from __future__ import annotations

from node.clock import ManualClock
from node.flows import claim, sites
from node.ledger import accounts
from node.money import Asset, sats
from node.store.engine import Store
from tests.conftest import MONTH
from tests.flows.claims.site_town import open_site_town
from tests.world import World, open_world


async def _fund(world: World, name: str) -> None:
    await world.fund(name, sats(1000), to_pot=True, at_s=None)


async def test_what_waited_three_months_is_paid_with_the_month_of_the_claim(
    store: Store, clock: ManualClock
) -> None:
    async with open_world(store, clock) as world, open_site_town(store, clock) as town:
        await world.join("reader", "owner")
        town.members = dict(world.members)
        for name in ("early", "late"):
            world.things[name] = await claim.add_thing(
                store, clock, f"{town.home}{name}", name
            )  # fmt: skip
        await world.flattr("reader", "early")
        for month in (MONTH, MONTH.plus(1)):
            await world.close(month)
        clock.set(MONTH.plus(3).starts_s)
        await _fund(world, "reader")
        town.put_file("owner")
        asked = await sites.ask_site(town.claiming, world.members["owner"], town.home)
        taken = await sites.check_site(
            town.claiming, world.members["owner"], asked.claim.id
        )  # fmt: skip
        assert taken.given == 2
        await world.flattr("reader", "late")
        await world.close(MONTH.plus(2))
        close = await world.close(MONTH.plus(3))
        assert (close.figures.distributed, close.figures.creators) == (sats(1000).units, 1)
        assert close.figures.flattrs == 2


async def test_what_is_made_under_a_site_counts_from_its_first_flattr(
    store: Store, clock: ManualClock
) -> None:
    async with open_world(store, clock) as world, open_site_town(store, clock) as town:
        await world.join("reader", "owner")
        town.members = dict(world.members)
        town.put_file("owner")
        asked = await sites.ask_site(town.claiming, world.members["owner"], town.home)
        await sites.check_site(town.claiming, world.members["owner"], asked.claim.id)
        await _fund(world, "reader")
        world.things["new"] = await claim.add_thing(store, clock, f"{town.home}new", "")
        await world.flattr("reader", "new")
        close = await world.close(MONTH)
        assert close.figures.distributed == sats(1000).units
        held = accounts.held(Asset.SAT, world.members["owner"])
        assert (await world.balance(held)) == sats(900).units
