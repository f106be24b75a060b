"""SQLite on a disk that is full, that fails, or whose power goes: `python -m tests.storage disk`.

A node serves a storm of clicks and a member who moves money, and strace puts one fault after the
other into it. A full disk and a failing one are told as 503 with Retry-After; when there is room
again the node goes on by itself. Where the process dies, the next one finds the database whole.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Final

from node.clock import SystemClock
from node.store.engine import open_store
from node.wallet.lightning.simulated import open_simulated_network
from tests.storage.clicks import judge_clicks, people
from tests.storage.lives import Serving, settle
from tests.storage.mover import WALLETS_MSAT, Mover, make_mover
from tests.storage.storm import Storm
from tests.storage.strace import injecting
from tests.storage.waiting import until

IN_FLIGHT, LINES = 200, 20
LIMIT_S: Final = 120
FULL: Final = "pwrite64:error=ENOSPC:when={n}+"
LASTING: Final = (FULL, "fdatasync:error=EIO:when={n}+")
ONCE: Final = (
    "pwrite64:error=ENOSPC:when={n}",
    "pwrite64:error=EIO:when={n}",
    "fdatasync:error=EIO:when={n}",
)
DEADLY: Final = ("fdatasync:signal=KILL:when={n}", "pwrite64:signal=KILL:when={n}")
KINDS: Final = (*LASTING, *ONCE, *DEADLY)
NTH_MAX: Final = 12


@dataclass
class DiskReport:
    """What came of it. `hits`: system calls that were answered wrongly, by fault."""

    faults: int = 0
    deaths: int = 0
    refused: int = 0
    acknowledged: int = 0
    moved: Counter[str] = field(default_factory=Counter)
    hits: Counter[str] = field(default_factory=Counter)
    unready_said: set[str] = field(default_factory=set)
    seconds: float = 0
    wrong: list[str] = field(default_factory=list)


@dataclass
class _Bench:
    """The node under test, its callers, and what is noted."""

    folder: Path
    port: int
    database: Path
    storm: Storm
    mover: Mover
    random: Random
    report: DiskReport
    life: Serving | None = None

    async def serve(self) -> Serving:
        """A node that serves; the next one if the last has died."""
        if self.life is None or not self.life.alive:
            self.life = Serving(self.folder, self.port)
            await self.life.until_serving()
            self.mover.urls.append(self.life.url)
            await self.storm.connect(self.port)
        return self.life


async def run_disk(
    folder: Path, database: Path, rounds: int, seed: int, say: Callable[[str], None]
) -> DiskReport:
    """Every kind of fault, so many times, under clicks and money; what came of it."""
    random, began, report = Random(seed), perf_counter(), DiskReport()
    url = f"sqlite:///{database}"
    async with open_simulated_network(folder / "net", WALLETS_MSAT) as network:
        port = settle(folder / "node", url, network.nodes["node"].lndconnect)
        async with open_store(url) as store:
            tokens, numbers = await people(store, 100, 400_000)
            mover = await make_mover(store, SystemClock(), "mover")
        storm = Storm(tokens, numbers, LINES, IN_FLIGHT, random)
        bench = _Bench(folder / "node", port, database, storm, mover, random, report)
        moving: asyncio.Task[None] | None = None
        try:
            await bench.serve()
            await mover.pay_in(network)
            moving = asyncio.create_task(mover.work(), name="mover")
            for kind in [kind for _ in range(rounds) for kind in KINDS]:
                await _fault(bench, await bench.serve(), kind)
                say(f"{report.faults} faults, {storm.acknowledged} clicks, {dict(mover.seen)}")
            await _finish(bench, moving)
        finally:
            if moving is not None:
                moving.cancel()
            if bench.life is not None:
                bench.life.kill()
    async with open_store(url) as store:
        report.wrong += await judge_clicks(store, storm)
        (month,) = storm.months_seen
        report.wrong += await mover.judge(store, month)
    report.acknowledged, report.refused = storm.acknowledged, storm.seen["busy"]
    report.moved, report.seconds = mover.seen, perf_counter() - began
    return report


async def _fault(bench: _Bench, life: Serving, kind: str) -> None:
    """One fault, and what must come after it."""
    storm, report = bench.storm, bench.report
    fault = kind.format(n=bench.random.randint(1, NTH_MAX))
    trace = bench.folder.parent / f"trace-{report.faults}"
    async with injecting(life.pid, fault, trace) as injection:
        await injection.until_hit(LIMIT_S)
        if kind in LASTING:
            await _nothing_is_acknowledged(bench, life, fault)
        await asyncio.sleep(0.1)
    report.faults += 1
    report.hits[kind] += injection.hits
    if kind in DEADLY:
        life.kill()
        report.deaths += 1
    elif not life.alive:
        report.wrong.append(f"the node ended of {fault}: {life.said()}")
    _demand_whole(bench, fault)
    life = await bench.serve()
    await storm.until_acknowledged(storm.acknowledged + IN_FLIGHT, LIMIT_S)
    if kind in LASTING:
        await life.until_ready(LIMIT_S, ready=True)


async def _nothing_is_acknowledged(bench: _Bench, life: Serving, fault: str) -> None:
    """As long as the fault lasts; and the node says so where an operator looks."""
    storm, mover = bench.storm, bench.mover
    refused, told = storm.seen["busy"] + IN_FLIGHT, mover.seen["503"]
    await until(
        lambda: (storm.seen["busy"] >= refused and mover.seen["503"] > told) or not life.alive,
        LIMIT_S,
        lambda: f"{fault} is told to {refused} clicks and to money: {_stands(bench)}",
    )
    if not life.alive:
        return
    acknowledged = storm.acknowledged
    bench.report.unready_said.add(await life.until_ready(LIMIT_S, ready=False))
    if storm.acknowledged != acknowledged:
        bench.report.wrong.append(f"a click was acknowledged under {fault}")


def _stands(bench: _Bench) -> str:
    return f"{bench.storm.told()}, money {dict(bench.mover.seen)}"


def _demand_whole(bench: _Bench, fault: str) -> None:
    with closing(sqlite3.connect(bench.database, timeout=30)) as connection:
        found = connection.execute("PRAGMA integrity_check").fetchall()
    if found != [("ok",)]:
        bench.report.wrong.append(f"after {fault} the database is not whole: {found}")


async def _finish(bench: _Bench, moving: asyncio.Task[None]) -> None:
    """The last life answers everything, is well, and ends in order."""
    life = await bench.serve()
    await bench.storm.until_over(LIMIT_S)
    bench.mover.over = True
    await until(moving.done, LIMIT_S, lambda: f"the last movement is done: {_stands(bench)}")
    await life.until_ready(LIMIT_S, ready=True)
    bench.storm.hang_up()
    assert await life.end() == 0, life.said()
