"""A member's word makes a waiting payout be tried sooner, and nothing be paid twice."""

from __future__ import annotations

import pytest

from node.errors import Conflict, NotFound
from node.flows.hold import hold_and_release
from node.flows.retry_payout import retry, retry_own
from node.ids import OPERATOR, PayoutId, payout_id
from node.money import Asset, sats
from node.settlement.payout import HeldReason, PayoutEvent, PayoutState
from node.settlement.retry import gives_up
from node.store import members, payouts
from tests.conftest import MONTH
from tests.world import open_world

LOCK_S = 72 * 3600


async def _earned(world, *, target: bool = True) -> PayoutId:
    """Eve's payout of 900 sat, after the close."""
    world.change_rules(dues=sats(0))
    await world.join("ann", "eve")
    await world.thing("eves", "eve")
    if target:
        await world.target("eve")
    await world.fund("ann", sats(1_000), to_pot=True, at_s=None)
    await world.flattr("ann", "eves")
    await world.close(MONTH)
    (payout,) = await world.payouts_of(world.members["eve"])
    return payout.id


async def _state(world, payout):
    async with world.store.read() as tx:
        return await payouts.get(tx, payout)


async def _retry(world, payout, name="eve"):
    await retry_own(world.store, world.clock, world.members[name], payout)


async def test_a_payout_that_waits_for_its_next_try_is_tried_at_once_and_paid_once(store, clock):
    async with open_world(store, clock) as world:
        payout = await _earned(world)
        async with store.write() as tx:
            due = await payouts.get(tx, payout)
            await payouts.postpone(tx, due, "no route", clock.now_us() // 10**6 + 7200)
        await world.pay()
        assert (await _state(world, payout)).state is PayoutState.DUE
        await _retry(world, payout)
        before = await _state(world, payout)
        assert (before.next_try_s, before.tries) == (0, 1)
        await world.pay_until_quiet()
        assert (await _state(world, payout)).state is PayoutState.PAID
        for _ in range(2):
            with pytest.raises(Conflict, match="paid"):
                await _retry(world, payout)
            await world.pay_until_quiet()
        async with store.read() as tx:
            sent = await tx.value("SELECT count(*) FROM leg WHERE payout = :id", id=payout)
        assert sent == 1


async def test_asking_again_and_again_ends_as_waiting_does(store, clock):
    async with open_world(store, clock) as world:
        payout = await _earned(world)
        tries = 0
        while not gives_up(tries):
            async with store.write() as tx:
                await payouts.postpone(tx, await payouts.get(tx, payout), "no route", 2**40)
            await _retry(world, payout)
            tries += 1
            assert (await _state(world, payout)).tries == tries


async def test_what_is_in_flight_or_back_is_left_alone(store, clock):
    async with open_world(store, clock) as world:
        payout = await _earned(world)
        async with store.write() as tx:
            await payouts.store_all(tx, [payout])
        with pytest.raises(Conflict, match="on its way"):
            await _retry(world, payout)
        assert (await _state(world, payout)).state is PayoutState.IN_FLIGHT
        async with store.write() as tx:
            await payouts.move(tx, await payouts.get(tx, payout), PayoutEvent.REFUSED)


async def test_one_that_is_held_goes_to_the_new_target_after_the_time_lock(store, clock):
    async with open_world(store, clock) as world:
        world.change_rules(target_lock_s=LOCK_S)
        payout = await _earned(world)
        async with store.write() as tx:
            due = await payouts.get(tx, payout)
            await payouts.move(tx, due, PayoutEvent.HELD, reason=HeldReason.NO_ROUTE)
        await world.target("eve", "mended@wallet.test")
        with pytest.raises(Conflict, match="72 hours"):
            await _retry(world, payout)
        assert (await _state(world, payout)).state is PayoutState.HELD
        clock.advance(LOCK_S)
        await _retry(world, payout)
        released = await _state(world, payout)
        assert (released.state, released.target) == (PayoutState.DUE, "mended@wallet.test")
        await world.pay_until_quiet()
        assert (await _state(world, payout)).state is PayoutState.PAID


async def test_what_must_be_done_first_is_said(store, clock):
    async with open_world(store, clock) as world:
        payout = await _earned(world, target=False)
        await hold_and_release(store, clock, world.rules)
        with pytest.raises(Conflict, match="set a payout target"):
            await _retry(world, payout)
        async with store.write() as tx:
            with pytest.raises(Conflict, match="change that first"):
                await retry(tx, payout)
        await world.target("eve")
        async with store.write() as tx:
            await members.set_suspended(tx, world.members["eve"], 1)
        with pytest.raises(Conflict, match="suspended"):
            await _retry(world, payout)
        async with store.write() as tx:
            await members.set_suspended(tx, world.members["eve"], None)
        await _retry(world, payout)
        await world.pay_until_quiet()
        assert (await _state(world, payout)).state is PayoutState.PAID


async def test_another_members_payout_and_the_operators_are_not_there(store, clock):
    async with open_world(store, clock) as world:
        payout = await _earned(world)
        tenth = payout_id(MONTH, OPERATOR, Asset.SAT)
        for member, one in [("ann", payout), ("eve", tenth), ("eve", PayoutId("none"))]:
            with pytest.raises(NotFound):
                await _retry(world, one, member)
