"""What lnd can do to a payment, one switch at a time and mixed: nobody is ever paid twice.

The switches are the measured facts of `node/wallet/lightning/simulated_faults.py`. Whether a payout
was paid is asked of its receiver.
"""

from __future__ import annotations

import os
from collections import Counter
from random import Random

import pytest

from node.clock import ManualClock
from node.wallet.lightning.simulated import Faults
from tests.simulation.scene import PAYER, STEPS_S, open_scene, table

SEEDS = int(os.environ.get("FLATTR_SIMULATION_SEEDS", "6"))
CREATORS = 6
PAYOUTS = CREATORS + 1
"""One of them is the operator's commission."""

SWITCHES = ("not_found", "flapping", "late", "expired", "lost_before", "lost_after", "no_route")

SURVIVED = {
    "not_found": {"next_count": 3, "reads": 2},
    "not_found for long": {"next_count": 3, "reads": 20, "seconds": 600},
    "flapping": {"next_count": 3, "reads": 1},
    "flapping for a minute": {"next_count": 3, "reads": 2, "seconds": 100},
    "late": {"next_count": 5},
    "expired": {"next_count": 5},
    "lost_before": {"next_count": 3},
    "lost_after": {"next_count": 3},
    "no_route": {"next_count": 3},
}
"""Switches after which everything is paid in the end, without a hand."""


@pytest.mark.parametrize("keysend", [False, True], ids=["lnurl", "keysend"])
@pytest.mark.parametrize("name", SURVIVED)
async def test_every_creator_is_paid_once_whatever_lnd_says(
    tmp_path, clock: ManualClock, name: str, keysend: bool
):
    async with open_scene(tmp_path, clock, creators=CREATORS, keysend=keysend) as scene:
        switch = name.split(maxsplit=1)[0]
        await scene.play()
        scene.network.faults.change({switch: SURVIVED[name]})
        await scene.pay()
        ends = await scene.judge()
        print(table([(name, ends)]))
        assert ends == {"paid": PAYOUTS}
        assert scene.paid_twice() == []
        struck = getattr(scene.network.faults, switch).struck
        assert len(struck) >= (1 if switch == "expired" else 3)  # a keysend does not expire


@pytest.mark.parametrize("keysend", [False, True], ids=["lnurl", "keysend"])
async def test_a_phantom_waits_in_limbo_after_an_hour_and_gets_no_second_invoice(
    tmp_path, clock: ManualClock, keysend: bool
):
    async with open_scene(tmp_path, clock, creators=CREATORS, keysend=keysend) as scene:
        await scene.play()
        scene.network.faults.change({"phantom": {"next_count": 2}})
        await scene.pay((31,) * 20)
        assert await scene.judge() == {"paid": PAYOUTS - 2, "in flight": 2}
        await scene.pay((600,) * 6 + (43_200,) * 60)
        ends = await scene.judge()
        assert ends == {"paid": PAYOUTS - 2, "limbo": 2}
        phantoms = [one for one in await scene.attempts() if one[2] == "limbo"]
        assert len({payout for payout, *_ in phantoms}) == len(phantoms) == 2
        assert {hash_ for _, hash_, *_ in phantoms} == set(scene.network.faults.phantom.struck)


async def test_a_creator_whose_payout_is_in_limbo_is_paid_the_next_month(
    tmp_path, clock: ManualClock
):
    async with open_scene(tmp_path, clock, creators=2) as scene:
        await scene.play()
        scene.network.faults.change({"phantom": {"next_count": 3}})
        await scene.pay((31, 3700, 31))
        assert await scene.judge() == {"limbo": 3}
        await scene.play()
        await scene.pay((31,) * 10)
        assert await scene.judge() == {"limbo": 3, "paid": 3}


async def test_a_phantom_that_lnd_calls_failed_after_all_is_paid_another_way(
    tmp_path, clock: ManualClock
):
    async with open_scene(tmp_path, clock, creators=1, keysend=False) as scene:
        await scene.play()
        scene.network.faults.change({"phantom": {"next_count": 2}})
        await scene.pay((31, 3700, 31))
        assert await scene.judge() == {"limbo": 2}
        for payment_hash in scene.network.faults.phantom.struck:
            payment = scene.network._world.payment(payment_hash)
            assert payment is not None
            payment.status = 3  # FAILED
            for attempt in payment.attempts:
                attempt.status = 2  # its HTLC too
        await scene.pay()
        assert await scene.judge() == {"paid": 2}


@pytest.mark.parametrize("verdict", ["release", "cancel"])
async def test_a_held_payment_waits_and_ends_as_its_receiver_says(
    tmp_path, clock: ManualClock, verdict: str
):
    async with open_scene(tmp_path, clock, creators=CREATORS) as scene:
        await scene.play()
        scene.network.faults.change({"hold": {"next_count": 2}})
        await scene.pay((31,) * 10 + (3700,) * 3)
        assert await scene.judge() == {"paid": PAYOUTS - 2, "in flight": 2}
        for payment_hash in scene.network.faults.hold.struck:
            getattr(scene.network, verdict)(payment_hash)
        await scene.pay()
        assert await scene.judge() == {"paid": PAYOUTS}


@pytest.mark.parametrize("state", ["locked", "starting", "unreachable", "unsynced"])
async def test_an_lnd_that_is_away_delays_payouts_and_fails_none(
    tmp_path, clock: ManualClock, state: str
):
    async with open_scene(tmp_path, clock, creators=CREATORS) as scene:
        await scene.play()
        scene.network.faults.change({"hold": {"next_count": 2}})
        await scene.round()
        scene.network.faults.change({state: [PAYER]})
        await scene.pay((31,) * 6)
        assert scene.said, "nobody was told"
        before = await scene.judge()
        assert before["paid"] < PAYOUTS
        scene.network.faults.change({state: []})
        for payment_hash in scene.network.faults.hold.struck:
            scene.network.release(payment_hash)
        await scene.pay()
        assert await scene.judge() == {"paid": PAYOUTS}
        assert all(payout.tries == 0 for payout in await scene.payouts())


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_whole_months_of_mixed_faults_pay_nobody_twice(
    tmp_path, clock: ManualClock, seed: int
):
    """FLATTR_SIMULATION_SEEDS=1000 runs more of them; a seed that fails fails again."""
    random = Random(seed)
    months = 3
    async with open_scene(tmp_path, clock, creators=CREATORS, seed=seed) as scene:
        for _ in range(months):
            await scene.play()
            _switch_at_random(scene.network.faults, random)
            for _ in range(6):
                away = random.choice(["", "", "locked", "starting", "unreachable", "unsynced"])
                if away:
                    scene.network.faults.change({away: [PAYER]})
                await scene.pay((31,) * random.randint(1, 3))
                if away:
                    scene.network.faults.change({away: []})
            await scene.pay(STEPS_S)
        ends = await scene.judge()
        print(table([(f"seed {seed}", ends + Counter(struck(scene.network.faults)))]))
        assert scene.paid_twice(months) == []
        assert ends.total() == months * PAYOUTS
        assert ends.keys() <= {"paid", "limbo", "in flight", "due", "held"}
        phantoms = len(scene.network.faults.phantom.struck)
        assert ends["limbo"] <= phantoms


def _switch_at_random(faults: Faults, random: Random) -> None:
    for name in SWITCHES:
        chance = random.choice([0, 0, 0.1, 0.3])
        reads, seconds = random.randint(1, 3), random.choice([0, 1, 40, 90])
        faults.change({name: {"chance": chance, "reads": reads, "seconds": seconds}})
    faults.change({"phantom": {"chance": random.choice([0, 0, 0.1])}})


def struck(faults: Faults) -> dict[str, int]:
    """How many payments each switch struck."""
    return {
        f"struck by {name}": len(getattr(faults, name).struck) for name in (*SWITCHES, "phantom")
    }
