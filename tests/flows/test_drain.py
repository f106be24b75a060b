"""A drain ends what is in flight and lets nothing new begin, also in the middle of a round."""

import asyncio

from node.errors import DatabaseAway
from node.flows.drain import drain
from node.flows.reconcile import quarantine, reconcile
from node.settlement.payout import PayoutState
from node.store import leases
from node.store.engine import Store
from tests.simulation.scene import PAYER, READER, open_scene

CREATORS = 100


async def states(scene):
    return [payout.state for payout in await scene.payouts()]


async def test_a_drain_in_the_middle_of_a_round_lets_nothing_new_begin(tmp_path, clock):
    async with open_scene(tmp_path, clock, creators=CREATORS, keysend=True) as scene:
        await scene.play()
        scene.network.faults.latency_s = 0.1
        paying = asyncio.create_task(scene.node.payer.round())
        while not any(map(scene.network.settled, scene.creators)):
            await asyncio.sleep(0)
        left = await drain(scene.node, 3600, lambda _: None)
        assert (left.done, left.limbo) == (True, 0)
        arrived = [name for name in scene.creators if scene.network.settled(name)]
        await paying
        assert [name for name in scene.creators if scene.network.settled(name)] == arrived
        assert 0 < len(arrived) < CREATORS
        left = await drain(scene.node, 3600, lambda _: None)
        stored_only = (await states(scene)).count(PayoutState.IN_FLIGHT)
        assert (left.in_flight, left.not_begun) == (0, stored_only)
        await scene.node.payer.round()
        assert [name for name in scene.creators if scene.network.settled(name)] == arrived


async def test_what_was_stored_and_never_sent_does_not_hold_up_a_drain(tmp_path, clock):
    async with open_scene(tmp_path, clock, creators=1, keysend=True) as scene:
        await scene.play()
        scene.network.faults.lost_before.chance = 1.0
        await scene.round()
        left = await drain(scene.node, 3600, lambda _: None)
        assert (left.in_flight, left.not_begun) == (0, 2)
        scene.network.faults.lost_before.chance = 0.0
        async with scene.node.store.write() as tx:
            assert await leases.resume(tx, "lightning")
        await scene.pay()
        assert set(await states(scene)) == {PayoutState.PAID}
        assert scene.paid_twice() == []


async def test_limbo_does_not_hold_up_a_drain_and_is_said(tmp_path, clock):
    async with open_scene(tmp_path, clock, creators=1, keysend=True) as scene:
        await scene.play()
        scene.network.faults.phantom.next_count = 1
        await scene.round()
        clock.advance(2 * 3600)
        left = await drain(scene.node, 60, lambda _: None)
        assert (left.done, left.limbo) == (True, 1)


async def test_a_drain_that_can_not_ask_lnd_is_not_done(tmp_path, clock):
    async with open_scene(tmp_path, clock, creators=1, keysend=True) as scene:
        await scene.play()
        scene.network.faults.hold.chance = 1.0
        await scene.round()
        scene.network.faults.unreachable = {PAYER}
        left = await drain(scene.node, 30, lambda _: None)
        assert not left.done
        assert "can't be reached" in left.words[0]


async def test_reconcile_keeps_a_breaker_that_another_opened(tmp_path, clock):
    async with open_scene(tmp_path, clock, creators=1, keysend=True) as scene:
        await scene.play()
        await drain(scene.node, 1, lambda _: None)
        await scene.network.pay(PAYER, scene.network.invoice(READER, 1_000_000))
        assert await quarantine(scene.node) == "drained by the operator"
        done = await reconcile(scene.node, adopt=True)
        assert (done.adopted, done.stopped) == (1, "drained by the operator")
        again = await reconcile(scene.node, adopt=True)
        assert (again.adopted, again.unknown) == (0, ())


async def test_a_start_that_finds_nothing_strange_needs_no_room_on_the_disk(
    tmp_path, clock, monkeypatch
):
    def full(*_: object) -> None:
        raise DatabaseAway("the database can't do this now: database or disk is full")

    async with open_scene(tmp_path, clock, creators=1, keysend=True) as scene:
        await scene.play()
        monkeypatch.setattr(Store, "write", full)
        assert await quarantine(scene.node) is None
        monkeypatch.undo()
        await drain(scene.node, 1, lambda _: None)
        monkeypatch.setattr(Store, "write", full)
        assert await quarantine(scene.node) == "drained by the operator"
