"""kill -9 of Postgres: the postmaster, or one of its backends: `python -m tests.storage outages`.

    serving   a node serves a storm of clicks and a member who moves money; it is never restarted
    a month   deposits, clicks, close, payouts, withdrawal, as `month.py` plays them

While the database is away the node answers 503 with Retry-After; when it is back, the node goes on
without a hand. The receivers' wallets and the callers' own notes are the truth.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Final

from node.clock import ManualClock, SystemClock
from node.store.engine import open_store
from node.wallet.lightning.simulated import SimulatedNetwork, open_simulated_network
from tests.simulation.scene import open_scene
from tests.storage.clicks import judge_clicks, people
from tests.storage.cuts import CREATORS, MONTH
from tests.storage.database import DatabaseServer, open_database_server
from tests.storage.lives import Serving, settle
from tests.storage.month import Play
from tests.storage.mover import WALLETS_MSAT, Mover, make_mover
from tests.storage.storm import Storm
from tests.storage.waiting import until

IN_FLIGHT, LINES = 1000, 100
LIMIT_S: Final = 300
AWAY_MAX_S: Final = 1.0
BACKEND_TRIES: Final = 100
KILLED: Final = 0.2
"""Of the steps of a month."""
SOON_S: Final = 0.05


@dataclass
class OutageReport:
    """What came of it. `kills`: by what was killed, and under what."""

    kills: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    refused: int = 0
    moved: Counter[str] = field(default_factory=Counter)
    away: Counter[str] = field(default_factory=Counter)
    months: int = 0
    slowest_return_s: float = 0
    seconds: float = 0
    wrong: list[str] = field(default_factory=list)


async def run_outages(
    folder: Path, kills: int, months: int, seed: int, say: Callable[[str], None]
) -> OutageReport:
    """So many kills under a serving node, and so many months with kills all along."""
    random, report, began = Random(seed), OutageReport(), perf_counter()
    async with open_database_server() as server:
        await _serving(folder, server, kills, random, report, say)
    for month in range(months):
        async with open_database_server() as server:
            await _month(folder / f"month-{month}", server, random, report)
        say(f"{month + 1} months, {dict(report.kills)}")
    report.seconds = perf_counter() - began
    return report


async def _serving(
    folder: Path, server: DatabaseServer, kills: int, random: Random, report: OutageReport,
    say: Callable[[str], None],
) -> None:  # fmt: skip
    async with open_simulated_network(folder / "net", WALLETS_MSAT) as network:
        port = settle(folder / "node", server.url, network.nodes["node"].lndconnect)
        async with open_store(server.url) as store:
            tokens, numbers = await people(store, 200, (kills + 2) * IN_FLIGHT * 4)
            mover = await make_mover(store, SystemClock(), "mover")
        storm = Storm(tokens, numbers, LINES, IN_FLIGHT, random)
        async with _served(folder / "node", port, storm, mover, network):
            for kill in range(kills):
                await _outage(server, storm, mover, random, report, backend=kill % 2 == 1)
                say(f"{kill + 1} kills, {storm.acknowledged} clicks, {dict(mover.seen)}")
    async with open_store(server.url) as store:
        report.wrong += await judge_clicks(store, storm)
        report.wrong += await mover.judge(store, storm.months_seen[0])
    if storm.seen["unanswered"]:
        report.wrong.append(f"{storm.seen['unanswered']} clicks were not answered at all")
    report.acknowledged, report.refused = storm.acknowledged, storm.seen["busy"]
    report.moved = mover.seen


@asynccontextmanager
async def _served(
    folder: Path, port: int, storm: Storm, mover: Mover, network: SimulatedNetwork
) -> AsyncIterator[None]:
    """One life of a node, which outlives every database; at the end it answers everything."""
    life = Serving(folder, port)
    moving = None
    try:
        await life.until_serving()
        await storm.connect(port)
        mover.urls.append(life.url)
        await mover.pay_in(network)
        moving = asyncio.create_task(mover.work(), name="mover")
        yield
        await storm.until_over(LIMIT_S)
        mover.over = True
        await until(moving.done, LIMIT_S, lambda: f"the last movement is done: {dict(mover.seen)}")
        await life.until_ready(LIMIT_S, ready=True)
        storm.hang_up()
        assert await life.end() == 0, life.said()
    finally:
        if moving is not None:
            moving.cancel()
        life.kill()


async def _outage(
    server: DatabaseServer, storm: Storm, mover: Mover, random: Random, report: OutageReport, *,
    backend: bool,
) -> None:  # fmt: skip
    """One kill in the middle of work; then the node must go on, clicks and money alike."""
    await storm.until_acknowledged(storm.acknowledged + random.randint(1, IN_FLIGHT), LIMIT_S)
    report.kills["a backend, serving" if backend else "the postmaster, serving"] += 1
    await _kill(server, random, backend=backend)
    began, done = perf_counter(), mover.seen["200"]
    await storm.until_acknowledged(storm.acknowledged + IN_FLIGHT, LIMIT_S)
    await until(
        lambda: mover.seen["200"] > done,
        LIMIT_S,
        lambda: f"money moves again: {dict(mover.seen)}",
    )
    report.slowest_return_s = max(report.slowest_return_s, perf_counter() - began)


async def _kill(server: DatabaseServer, random: Random, *, backend: bool) -> None:
    """Kill, stay away for a moment, and start again; Postgres itself recovers from a backend's."""
    if backend:
        for _ in range(BACKEND_TRIES):  # the node may have no connection just now
            if await server.kill_backend(random):
                break
            await asyncio.sleep(0.02)
    else:
        server.kill()
        await asyncio.sleep(random.uniform(0, AWAY_MAX_S))
    await server.start()


async def _month(
    folder: Path, server: DatabaseServer, random: Random, report: OutageReport
) -> None:
    clock = ManualClock(MONTH.starts_s + 3600)

    @asynccontextmanager
    async def around() -> AsyncIterator[None]:
        """Kill it a moment after a step has begun; by the next step it is there again."""
        if random.random() > KILLED:
            yield
            return
        backend = random.random() < 0.5
        report.kills["a backend, in a month" if backend else "the postmaster, in a month"] += 1
        killing = asyncio.create_task(_kill_soon(server, random, backend=backend), name="kill")
        try:
            yield
        finally:
            await killing

    async with open_scene(folder, clock, creators=CREATORS, database=server.url) as scene:
        play = Play(scene, around=around)
        try:
            await play.month()
        except AssertionError as error:
            report.wrong.append(f"{folder.name}: {error}")
        play.around = nullcontext
        judged = await play.until_done("judge", play.judge)
        report.wrong += [f"{folder.name}: {words}" for words in judged]
        report.months += 1
        report.away += play.away


async def _kill_soon(server: DatabaseServer, random: Random, *, backend: bool) -> None:
    await asyncio.sleep(random.uniform(0, SOON_S))
    await _kill(server, random, backend=backend)
