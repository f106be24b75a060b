"""What changes while a round pays: a target, a suspension, the end of a payment that was dead."""

from __future__ import annotations

import pytest

from node.flows.audits.audit import audit
from node.flows.operator.acts import set_suspended
from node.flows.outcome import Outcomes
from node.flows.round_report import RoundReport
from node.ledger import accounts
from node.money import Asset, sats
from node.settlement.attempt import AttemptState
from node.settlement.payout import HeldReason, PayoutState
from node.store import attempts, checks, leases, payouts
from node.wallet.fake import FEE
from tests.conftest import MONTH
from tests.world import open_world, target_of

LOCK_S = 72 * 3600
EARNED = sats(900)


@pytest.fixture
async def world(store, clock):
    """Eve is due 900 sat."""
    async with open_world(store, clock) as opened:
        opened.change_rules(dues=sats(0))
        await opened.join("ann", "eve")
        await opened.thing("eves", "eve")
        await opened.target("eve")
        await opened.fund("ann", sats(1_000), to_pot=True, at_s=None)
        await opened.flattr("ann", "eves")
        await opened.close(MONTH)
        yield opened


async def eves(world):
    (payout,) = await world.payouts_of(world.members["eve"])
    return payout


def while_preparing(world, monkeypatch, act) -> None:
    """Once, between the choice of Eve's payout and its attempt."""
    prepare = world.rail.prepare

    async def prepare_and_act(chosen, number):
        prepared = await prepare(chosen, number)
        if chosen[0].target == target_of("eve"):
            monkeypatch.setattr(world.rail, "prepare", prepare)
            await act()
        return prepared

    monkeypatch.setattr(world.rail, "prepare", prepare_and_act)


async def test_a_target_that_changes_in_a_round_is_paid_by_it_neither_old_nor_new(
    world, monkeypatch
):
    while_preparing(world, monkeypatch, lambda: world.target("eve", target_of("mallory")))
    await world.pay_until_quiet()
    payout = await eves(world)
    assert (payout.state, payout.reason) == (PayoutState.HELD, HeldReason.TARGET_CHANGED)
    assert target_of("eve") not in world.rail.received
    assert target_of("mallory") not in world.rail.received
    world.clock.advance(LOCK_S)
    await world.pay_until_quiet()
    assert (await eves(world)).state is PayoutState.PAID
    assert world.rail.received[target_of("mallory")] == EARNED.units
    assert target_of("eve") not in world.rail.received


async def test_who_is_suspended_in_a_round_is_not_paid_by_it(world, monkeypatch):
    member = world.members["eve"]

    async def suspend() -> None:
        await set_suspended(world.store, world.clock, "operator", member, suspended=True)

    while_preparing(world, monkeypatch, suspend)
    await world.pay_until_quiet()
    payout = await eves(world)
    assert (payout.state, payout.reason) == (PayoutState.HELD, HeldReason.SUSPENDED)
    assert target_of("eve") not in world.rail.received
    await set_suspended(world.store, world.clock, "operator", member, suspended=False)
    await world.pay_until_quiet()
    assert world.rail.received[target_of("eve")] == EARNED.units


async def test_a_dead_attempt_that_has_paid_is_the_only_one_when_the_next_one_is_refused(world):
    """It went out once: booked as unexplained while another was in flight, and then for this."""
    rail, outcomes = world.rail, Outcomes(world.store, world.clock, world.rail)
    rail.name = "lightning"  # of which the audit reads
    rail.script(target_of("eve"), ["refuse:first", "hold"])
    await world.pay()
    world.clock.advance(3600)
    await world.pay()
    (dead,) = await dead_attempts(world)
    rail.pay_after_all(dead.reference)
    await outcomes.check_dead(dead, RoundReport())
    assert await suspense(world) == EARNED.units + FEE
    async with world.store.write() as tx:
        assert "has paid after all" in (await leases.stopped(tx, rail.name) or "")
        assert await leases.resume(tx, rail.name)
    rail.refuse(target_of("eve"), "second")
    await world.pay()
    await outcomes.check_dead(dead, RoundReport())
    assert (await eves(world)).state is PayoutState.PAID
    assert rail.received[target_of("eve")] == EARNED.units
    assert await suspense(world) == 0
    async with world.store.read() as tx:
        assert await payouts.counts(tx, Asset.SAT) == {PayoutState.PAID: (2, sats(1_000).units)}
    assert (await audit(world.store, world.clock, None)).result == "pass"


async def test_a_dead_attempt_that_is_open_again_waits_for_a_person_and_nothing_is_sent(world):
    """As long as it is open it may arrive: no second payment is made, and a person is called."""
    rail, creator = world.rail, target_of("eve")
    rail.script(creator, ["refuse:first"])
    await world.pay()
    (dead,) = await dead_attempts(world)
    rail.reopen(dead.reference)
    for _ in range(3):
        world.clock.advance(4 * 3600)
        await world.pay()
    assert (await eves(world)).state is PayoutState.IN_FLIGHT
    async with world.store.read() as tx:
        (open_again,) = await attempts.live(tx, rail.name, 10)
        assert await checks.breaches(tx, deep=True) == []
    assert (open_again.id, open_again.state) == (dead.id, AttemptState.LIMBO)
    assert rail.sends.count(dead.reference) == 1
    assert creator not in rail.received
    rail.pay_after_all(dead.reference)
    await world.pay_until_quiet()
    assert (await eves(world)).state is PayoutState.PAID
    assert rail.received[creator] == EARNED.units


async def dead_attempts(world):
    async with world.store.read() as tx:
        return await attempts.buried_since(tx, world.rail.name, 0, 10)


async def suspense(world) -> int:
    return await world.balance(accounts.suspense(Asset.SAT))
