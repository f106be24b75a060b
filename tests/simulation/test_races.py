"""Two payers on one database: the lease lets one pay, and a stolen lease can't pay twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from node.clock import ManualClock
from node.errors import LeaseLost
from node.flows.lease import LEASE_S
from node.flows.pay import Payer
from node.money import Asset
from node.settlement.payout import PayoutState
from node.store import engine, payouts
from node.wallet.lightning.rail import LightningRail
from tests.simulation.scene import PAYER, Scene, open_scene

CREATORS = 5


def _payer(scene: Scene, holder: str, clock: ManualClock | None = None) -> Payer:
    """Another process's payer: its own rail, with its own memory; its clock may stand still."""
    node, own = scene.node, clock or scene.clock
    seed = (scene.folder / "node" / "seed").read_bytes()
    rail = LightningRail(node.lnd, node.fetcher, own, seed)
    return Payer(node.store, own, node.rules, rail, holder)


async def _race(scene: Scene, rounds: int) -> Counter[str]:
    """Two payers go round by round at once; how often each had the lease."""
    turns: Counter[str] = Counter()

    async def pay(holder: str) -> None:
        payer = _payer(scene, holder)
        for _ in range(rounds):
            try:
                await payer.round()
                turns[holder] += 1
            except LeaseLost:
                turns["turned away"] += 1
                await asyncio.sleep(0)

    await asyncio.gather(pay("first"), pay("second"))
    return turns


async def test_of_two_payers_one_pays(tmp_path, clock: ManualClock, database_url: str):
    async with open_scene(tmp_path, clock, creators=CREATORS, database=database_url) as scene:
        await scene.play()
        turns = await _race(scene, 10)
        assert turns["turned away"] == 10
        assert await scene.judge() == {"paid": CREATORS + 1}
        assert scene.paid_twice() == []


async def test_a_lease_that_ran_out_is_taken_over_and_the_month_is_finished(
    tmp_path, clock: ManualClock, database_url: str
):
    async with open_scene(tmp_path, clock, creators=CREATORS, database=database_url) as scene:
        await scene.play()
        scene.network.faults.change({"lost_before": {"next_count": 3}})
        await _payer(scene, "killed").round()
        with pytest.raises(LeaseLost):
            await _payer(scene, "next").round()
        clock.advance(LEASE_S)
        payer = _payer(scene, "next")
        for _ in range(5):
            await payer.round()
        assert await scene.judge() == {"paid": CREATORS + 1}


@pytest.mark.parametrize("keysend", [False, True], ids=["lnurl", "keysend"])
@pytest.mark.parametrize("step", ["prepare", "send"])
async def test_a_payer_that_wakes_up_after_another_has_paid_pays_nobody_again(
    tmp_path, clock: ManualClock, database_url: str, step: str, keysend: bool
):
    """It stops before it quotes, or before lnd has its message; another takes over; it wakes up."""
    async with open_scene(
        tmp_path, clock, creators=CREATORS, keysend=keysend, database=database_url
    ) as scene:
        await scene.play()
        sleeper, asleep, wake = _payer(scene, "sleeper"), asyncio.Event(), asyncio.Event()
        sleeper._rail.attempts_in_flight_max = 1  # so that there is more to do when it wakes up
        go_on = getattr(sleeper._rail, step)

        async def sleep_first(*arguments: Any) -> Any:
            asleep.set()
            await wake.wait()
            return await go_on(*arguments)

        setattr(sleeper._rail, step, sleep_first)
        sleeping = asyncio.create_task(sleeper.round())
        await asyncio.wait_for(asleep.wait(), 10)
        clock.advance(LEASE_S + 1)
        other = _payer(scene, "other")
        for _ in range(8):
            await other.round()
            clock.advance(31)
        assert await scene.judge() == {"paid": CREATORS + 1}
        wake.set()
        with pytest.raises(LeaseLost):
            await sleeping
        assert await scene.judge() == {"paid": CREATORS + 1}
        assert scene.paid_twice() == []


async def test_a_payer_that_stood_still_since_its_commit_sends_nothing(
    tmp_path, clock: ManualClock, database_url: str, monkeypatch
):
    async with open_scene(
        tmp_path, clock, creators=CREATORS, keysend=False, database=database_url
    ) as scene:
        await scene.play()

        def stand_still(point: str) -> None:
            if point == "pay.store.after_commit":
                clock.advance(LEASE_S)

        with monkeypatch.context() as patch:
            patch.setattr(engine, "failpoint", stand_still)
            with pytest.raises(LeaseLost):
                await _payer(scene, "sleeper").round()
        assert scene.network._world.nodes[PAYER].payments == {}
        for _ in range(3):
            await _payer(scene, "other").round()
        assert await scene.judge() == {"paid": CREATORS + 1}


async def test_what_was_stored_by_a_payer_that_died_is_sent_by_the_next_one(
    tmp_path, clock: ManualClock, database_url: str
):
    async with open_scene(tmp_path, clock, creators=1, database=database_url) as scene:
        await scene.play()
        killed, both_stored = _payer(scene, "killed"), asyncio.Barrier(2)

        async def die(*_: Any) -> None:
            await both_stored.wait()
            raise LeaseLost("killed")

        killed._dispatch = die
        with pytest.raises(LeaseLost):
            await killed.round()
        async with scene.node.store.read() as tx:
            in_flight = await payouts.in_state(tx, Asset.SAT, PayoutState.IN_FLIGHT, 10)
        assert len(in_flight) == 2
        clock.advance(LEASE_S)
        await _payer(scene, "next").round()
        await _payer(scene, "next").round()
        assert await scene.judge() == {"paid": 2}
