"""`python -m tests.flows.backups.drill POINTS [SEED]`: the node is lost, and lives again.

A month is played with faults; a backup is taken at a point, the node goes on and pays, and is then
lost. What comes back from the backup must be in quarantine, send nothing, and after `reconcile` pay
what is left: nobody twice, by what the receivers have got. Exit status 1: somebody was, or a
restored node was not in quarantine.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random

from node import log
from node.clock import ManualClock
from node.flows import fund
from node.flows.reconcile import quarantine, reconcile
from node.flows.withdraw import withdraw
from node.money import sats
from node.settlement.payout import PayoutState
from node.wallet.lightning.simulated_books import IN_FLIGHT
from tests.conftest import MONTH
from tests.flows.backups.lives import restored, save
from tests.simulation.scene import READER, Scene, open_scene

CREATORS = 4
ROUNDS = 4
RECONCILED_MAX = 12
SWITCHES = ("lost_before", "lost_after", "not_found", "no_route", "hold")


@dataclass
class Drill:
    """How one restore went. `twice`: receivers that were paid more than once."""

    quarantined: bool
    sent_before: int
    """Payments that arrived between the restore and the end of the quarantine."""
    twice: list[str]
    ends: Counter[str]
    taken_up: int
    journal: bool


async def drill(folder: Path, seed: int) -> Drill:
    """One life, one backup at a point that the seed chooses, one restore."""
    random = Random(seed)
    point, journal = random.randrange(ROUNDS + 1), random.random() < 0.8
    clock = ManualClock(MONTH.starts_s + 3600)
    async with open_scene(folder / "scene", clock, creators=CREATORS, seed=seed) as scene:
        await free_money(scene)
        await scene.play()
        for name in SWITCHES:
            scene.network.faults.change({name: {"chance": random.choice([0, 0.2])}})
        saved = await _live(scene, folder, point, random)
        scene.network.faults.change({name: {"chance": 0} for name in SWITCHES})
        await _let_go(scene)
        async with restored(scene, saved, folder / "new", journal=journal) as back:
            arrived = _arrived(scene)
            stopped = await quarantine(back.node)
            await back.round()
            before = _arrived(scene) - arrived
            taken_up = await _bring_back(back)
            await back.pay()
            return Drill(
                stopped is not None, before, scene.paid_twice() + _twice_to_reader(scene),
                await _ends(back), taken_up, journal,
            )  # fmt: skip


async def _let_go(scene: Scene) -> None:
    """Receivers take what they held, so that nothing arrives later by itself."""
    for payment_hash in scene.network.faults.hold.struck:
        payment = scene.network._world.payment(payment_hash)
        if payment is not None:
            scene.network.release(payment_hash)
            while payment.status == IN_FLIGHT:
                await payment.bell.next.wait()


async def free_money(scene: Scene) -> None:
    """Something that the reader can withdraw."""
    funding, reader = scene.node.funding, scene.creators[READER]
    asked = await fund.ask_deposit(funding, reader, sats(9000), to_pot=False, key="")
    await scene.network.pay(READER, asked.payment_request or "")
    await fund.catch_up(funding)


async def _live(scene: Scene, folder: Path, point: int, random: Random) -> Path:
    """Rounds of paying, with a backup before one of them; then the node is gone."""
    node, saved = scene.node, folder / "saved"
    reader = scene.creators[READER]
    for number in range(ROUNDS + 1):
        if number == point:
            await save(scene, saved)
        if number == 1:
            request = scene.network.invoice(READER, 3_000_000)
            await withdraw(
                node.store, node.clock, node.rules, reader, request, sats(3000), "", frozenset()
            )
        await scene.round()
        scene.clock.advance(random.choice([2, 31, 100]))
    return saved


async def _bring_back(scene: Scene) -> int:
    """Reconcile as an operator would: again and again, until nothing is unknown."""
    taken_up = 0
    for _ in range(RECONCILED_MAX):
        done = await reconcile(scene.node, adopt=False)
        taken_up += done.taken_up
        if not done.unknown:
            break
        scene.clock.advance(400)
    return taken_up


def _arrived(scene: Scene) -> int:
    return sum(len(scene.network.settled(name)) for name in scene.network.nodes)


def _twice_to_reader(scene: Scene) -> list[str]:
    """The reader withdraws to one invoice, which is paid once or never."""
    return [READER] if len(scene.network.settled(READER)) > 1 else []


async def _ends(scene: Scene) -> Counter[str]:
    return Counter(str(payout.state) for payout in await scene.payouts())


async def main(points: int, first: int) -> int:
    """The table, as it comes."""
    log.set_up(level=logging.CRITICAL)
    bad, quarantined, paid = 0, 0, 0
    for seed in range(first, first + points):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "scene").mkdir()
            done = await drill(Path(folder), seed)
        wrong = not done.quarantined or done.sent_before or done.twice
        bad += bool(wrong)
        quarantined += done.quarantined
        paid += done.ends[PayoutState.PAID]
        journal = "journal" if done.journal else "no journal"
        why = f"sent {done.sent_before}, twice {done.twice}, quarantine {done.quarantined}"
        told = f"BAD ({why}): python -m tests.flows.backups.drill 1 {seed}" if wrong else "ok"
        print(
            f"{seed:4} {journal:10} taken up {done.taken_up} {dict(done.ends)} {told}", flush=True
        )
    print(f"quarantine entered {quarantined}/{points}, {bad} wrong, {paid} payouts paid")
    return 1 if bad else 0


if __name__ == "__main__":
    given = [int(one) for one in sys.argv[1:]] or [50]
    sys.exit(asyncio.run(main(given[0], given[1] if len(given) > 1 else 0)))
