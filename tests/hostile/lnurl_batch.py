"""A batch of payouts of which a fifth is hostile, and how long the honest ones take in it.

The same number of honest payouts alone, and then among hostile ones whose servers have each a host
of their own, which is the worst for whoever remembers failing hosts; every second of these never
answers, and hangs for as long as it is let. Timed is the arrival of the last honest payout at the
creators' wallet.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, cycle
from pathlib import Path
from random import Random
from time import perf_counter, process_time
from typing import Final

from node.clock import ManualClock
from node.wallet.lightning.simulated import Faults
from tests.hostile.lnurl import MONTH, PAID, USED
from tests.hostile.lnurl_answers import ANSWERS, HONEST
from tests.hostile.lnurl_invoices import INVOICES
from tests.hostile.lnurl_scene import PAYER, Scene, open_scene
from tests.hostile.lnurl_server import WALLET, Behaviour
from tests.hostile.printed import table

HOSTILE: Final = tuple(one for one in (*INVOICES, *ANSWERS) if one.must not in PAID | {USED})
SLOW: Final = tuple(one for one in HOSTILE if one.must == "in time")
FIFTH: Final = 5
LATENCY_S: Final = 0.2
LOOK_S: Final = 0.02
ROUNDS_MAX: Final = 20
RATIO_MAX: Final = 1.25


@dataclass(frozen=True)
class Batch:
    """One batch: how many of each, and the seconds until the last honest one had arrived.

    `processor_s`: what this process, the servers and the network in it, has used by then.
    """

    honest: int
    hostile: int
    honest_s: float
    processor_s: float
    rounds: int
    ends: Counter[str]


async def run(folder: Path, number: int, seed: int, tell: Callable[[str], None]) -> list[Batch]:
    """All honest, the same number of honest ones among a fifth of hostile ones, all honest again.

    Twice alone, because a machine that does other things too is not the same a minute later.
    """
    hostile = number // FIFTH
    batches = []
    for at, evil in enumerate((0, hostile, 0)):
        batches.append(await _batch(folder / str(at), number - hostile, evil, seed))
        tell(f"{number - hostile} honest among {evil} hostile: {batches[-1].honest_s:.1f} s")
    return batches


async def _batch(folder: Path, honest: int, hostile: int, seed: int) -> Batch:
    clock = ManualClock(MONTH.starts_s + 3600)
    creators = dict(_mixed(honest, hostile, Random(seed)))
    faults = Faults(payers={PAYER}, latency_s=LATENCY_S)
    async with open_scene(folder, clock, creators, faults=faults) as scene:
        await scene.play(list(creators))
        honest_s, processor_s, rounds = await _timed(scene, honest)
        return Batch(honest, hostile, honest_s, processor_s, rounds, await scene.judge())


def _mixed(honest: int, hostile: int, dice: Random) -> Iterator[tuple[str, Behaviour]]:
    """Names in the order in which they are due, honest and hostile ones by chance."""
    good = replace(HONEST, shares_host=True)
    evil = chain.from_iterable(zip(cycle(HOSTILE), cycle(SLOW), strict=False))
    kinds = [good] * honest + [next(evil) for _ in range(hostile)]
    dice.shuffle(kinds)
    for number, kind in enumerate(kinds):
        yield f"creator{number}", kind


async def _timed(scene: Scene, honest: int) -> tuple[float, float, int]:
    """Seconds until so many have arrived, those of the processor, and the rounds that it took."""
    arrived = asyncio.Event()

    async def watch() -> tuple[float, float]:
        began, used = perf_counter(), process_time()
        while len(scene.network.settled(WALLET)) < honest:
            await asyncio.sleep(LOOK_S)
        arrived.set()
        return perf_counter() - began, process_time() - used

    watching = asyncio.create_task(watch())
    rounds = 0
    while not arrived.is_set() and rounds < ROUNDS_MAX:
        await scene.round()
        rounds += 1
    assert arrived.is_set(), f"{len(scene.network.settled(WALLET))} of {honest} arrived"
    return *(await watching), rounds


def ratio(batches: list[Batch]) -> float:
    """How many times as long the honest ones took among hostile ones."""
    before, among, after = batches
    return 2 * among.honest_s / (before.honest_s + after.honest_s)


def printed(batches: list[Batch]) -> str:
    """The table and the ratio."""
    rows = [
        [f"{one.honest + one.hostile} payouts", one.honest, one.hostile, f"{one.honest_s:.1f}",
         f"{one.processor_s:.1f}", one.rounds, one.ends["paid"], one.ends["not paid"]]
        for one in batches
    ]  # fmt: skip
    head = [
        "batch",
        "honest",
        "hostile",
        "seconds",
        "of the processor",
        "rounds",
        "paid",
        "not paid",
    ]
    line = f"honest payouts among hostile ones take {ratio(batches):.3f} times as long"
    return f"{table(head, rows)}\n{line} (at most {RATIO_MAX}); 0 wrong or reused dispatched"
