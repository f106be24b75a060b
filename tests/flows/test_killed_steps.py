"""Steps of members and the operator, killed on both sides of their commit and done again."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from node.clock import ManualClock
from node.flows import fund
from node.flows.audits.audit import stop_on_breach
from node.flows.audits.lines import Line, Report, State
from node.flows.lease import take_lease
from node.flows.leave import leave
from node.flows.node import give_up_leases
from node.flows.operator import acts
from node.flows.outcome import Outcomes
from node.flows.reconcile import quarantine, reconcile
from node.flows.retry_payout import retry_own
from node.flows.schedule import _stop_paying
from node.flows.sites import ask_site, check_site, release_site
from node.flows.subscribe import subscribe, unsubscribe
from node.money import sats
from node.store import leases
from node.store.engine import open_store
from tests.conftest import MONTH
from tests.flows.claims.site_town import open_site_town
from tests.flows.test_leave import node_of
from tests.killed import AT, Act, judge, killed, points_of
from tests.simulation.scene import PAYER, READER, open_scene
from tests.world import World, open_world, target_of


async def set_pot(world: World) -> Act:
    await world.fund("ann", sats(1_000), to_pot=False, at_s=None)
    return partial(fund.set_pot, world.funding, world.members["ann"], sats(400), "key")


async def set_means(world: World) -> Act:
    return partial(fund.set_means, world.funding, world.members["ann"], sats(400))


async def set_target(world: World) -> Act:
    return partial(world.target, "ann")


async def add_thing(world: World) -> Act:
    return partial(world.thing, "new")


async def claim_thing(world: World) -> Act:
    return partial(world.claim, "eves", "eve")


async def begin(world: World) -> Act:
    ann, thing = world.members["ann"], world.things["eves"]
    return partial(subscribe, world.store, world.clock, world.clicks, ann, thing, 3)


async def end(world: World) -> Act:
    await (await begin(world))()
    ann, thing = world.members["ann"], world.things["eves"].id
    return partial(unsubscribe, world.store, world.clock, ann, thing)


async def go(world: World) -> Act:
    await (await begin(world))()
    await world.target("ann")
    return partial(leave, node_of(world), world.members["ann"], "ann", (), fresh=True)


async def run_out(world: World) -> Act:
    await world.ask("ann", sats(1_000), to_pot=True)
    world.clock.advance(fund.EXPIRY_S + fund.FORGET_AFTER_S + 1)
    return partial(fund.catch_up, world.funding)


async def pause(world: World) -> Act:
    return partial(acts.pause, world.store, world.clock, "op")


async def resume(world: World) -> Act:
    await acts.pause(world.store, world.clock, "op")
    return partial(acts.resume, world.store, world.clock, "op")


async def breach(world: World) -> Act:
    report = Report("books", (Line("I1", "a law", State.BREACH, "broken"),))
    return partial(stop_on_breach, world.store, world.clock, report)


async def stop(world: World) -> Act:
    node: Any = SimpleNamespace(store=world.store, clock=world.clock, rail=world.rail)
    return partial(_stop_paying, node, "the books contradict themselves")


async def approve(world: World) -> Act:
    world.clock.set(MONTH.ends_s)
    return partial(acts.approve, node_of(world), "op", MONTH)


async def give_up(world: World) -> Act:
    await take_lease(world.store, world.clock, world.rail.name, "one")
    return partial(give_up_leases, SimpleNamespace(store=world.store, holder="one"))


async def _earned(world: World, *steps: str) -> Any:
    """Eve's payout after the close; `steps` are what her wallet does."""
    world.change_rules(dues=sats(0))
    await world.claim("eves", "eve")
    await world.target("eve")
    await world.fund("ann", sats(1_000), to_pot=True, at_s=None)
    await world.flattr("ann", "eves")
    await world.close(MONTH)
    world.rail.script(target_of("eve"), steps)
    (payout,) = await world.payouts_of(world.members["eve"])
    return payout


async def unpayable(world: World) -> Act:
    await _earned(world, "quote:no", "quote:no")
    return world.pay


async def note(world: World) -> Act:
    await _earned(world, "hold")
    return world.pay


async def postpone(world: World) -> Act:
    payout = await _earned(world)
    outcomes = Outcomes(world.store, world.clock, world.rail)
    return partial(outcomes.postpone, payout, "not yet", 60, tried=False)


async def ask_again(world: World) -> Act:
    payout = await _earned(world, "refuse:no route")
    await world.pay()
    return partial(retry_own, world.store, world.clock, world.members["eve"], payout.id)


async def retry(world: World) -> Act:
    payout = await _earned(world, "refuse:no route")
    await world.pay()
    return partial(acts.retry_payout, world.store, world.clock, "op", payout.id)


async def suspend(world: World) -> Act:
    await _earned(world)
    return partial(
        acts.set_suspended, world.store, world.clock, "op", world.members["eve"], suspended=True
    )


STEPS = {
    "pot.set": set_pot, "means.set": set_means, "target.set": set_target, "thing.add": add_thing,
    "thing.claim": claim_thing, "subscription.begin": begin, "subscription.end": end, "leave": go,
    "deposit.expire": run_out, "breaker.pause": pause, "breaker.resume": resume,
    "breaker.breach": breach, "breaker.stop": stop, "close.approve": approve,
    "lease.give_up": give_up, "pay.unpayable": unpayable, "pay.note": note,
    "pay.postpone": postpone, "pay.ask_again": ask_again, "pay.retry": retry,
    "member.suspend": suspend,
}  # fmt: skip
SITES = ("site.ask", "site.check", "site.release")
RECONCILE = ("reconcile.adopt", "reconcile.stop")
KILLED = points_of(*STEPS, *SITES, *RECONCILE)


@pytest.mark.parametrize("step", STEPS)
async def test_a_step_that_is_killed_and_done_again_is_done_once(tmp_path, monkeypatch, step):
    # A deposit without a key of the member's gets a random one: here the same each time.
    monkeypatch.setattr(fund, "secrets", SimpleNamespace(token_hex="00".__mul__))
    made = iter(range(3))

    @asynccontextmanager
    async def place():
        clock = ManualClock(MONTH.starts_s + 3600)
        async with (
            open_store(f"sqlite:///{tmp_path / str(next(made))}") as store,
            open_world(store, clock) as world,
        ):
            await world.join("ann", "eve")
            await world.thing("eves")
            yield world

    await judge(place, STEPS[step], step)


@pytest.mark.parametrize("at", AT)
@pytest.mark.parametrize("step", SITES)
async def test_a_site_is_claimed_and_released_once_through_a_kill(tmp_path, clock, step, at):
    async with (
        open_store(f"sqlite:///{tmp_path / 'sites'}") as store,
        open_site_town(store, clock) as town,
    ):
        await town.join("alice")
        thing, alice = await town.thing("/a"), town.members["alice"]
        town.put_file("alice")
        ask = partial(ask_site, town.claiming, alice, town.home)
        if step == "site.ask":
            await killed(ask, f"{step}.{at}")
        site = (await ask()).claim.id
        check = partial(check_site, town.claiming, alice, site)
        if step == "site.check":
            await killed(check, f"{step}.{at}")
        await check()
        assert await town.owner(thing) == "alice"
        assert await town.owner(await town.thing("/b")) == "alice"
        release = partial(release_site, town.claiming, alice, site)
        if step == "site.release":
            await killed(release, f"{step}.{at}")
        if not (step == "site.release" and at == "after_commit"):
            await release()
        assert await town.owner(await town.thing("/c")) is None
        async with store.read() as tx:
            assert await tx.value("SELECT count(*) FROM site_claim") == 1


@pytest.mark.parametrize("at", AT)
@pytest.mark.parametrize("step", RECONCILE)
async def test_a_strange_payment_stops_sending_until_it_is_adopted_through_a_kill(
    tmp_path, clock, step, at
):
    async with open_scene(tmp_path, clock, creators=1, keysend=True) as scene:
        await scene.play()
        await scene.network.pay(PAYER, scene.network.invoice(READER, 1_000_000))
        node = scene.node
        if step == "reconcile.stop":
            await killed(partial(quarantine, node), f"{step}.{at}")
        assert "unknown here: 1" in (await quarantine(node) or "")
        await scene.round()
        assert not scene.network.settled("creator0"), "it was sent in quarantine"
        adopt = partial(reconcile, node, adopt=True)
        if step == "reconcile.adopt":
            await killed(adopt, f"{step}.{at}")
        done = await adopt()
        assert (done.unknown, done.stopped) == ((), None)
        assert await quarantine(node) is None
        await scene.pay()
        assert scene.paid_twice() == []
        async with node.store.read() as tx:
            assert await leases.stopped(tx, node.rail.name) is None
            used = "SELECT count(*) FROM used_hash WHERE used_by LIKE 'foreign:%'"
            assert await tx.value(used) == 1
