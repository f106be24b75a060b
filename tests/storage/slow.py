"""Slow sockets by the thousand, and more clicks than the node can take: `… slow`.

    nothing    a connection that never says a word          half    a request line and one header
    drip       headers, a byte a second                     body    a body, a byte a second

They come from many addresses, because one may have 64 connections; one address tries more. Who is
cut off comes back at once. Beside them a storm has five times as many clicks in flight as a busy
node has, and one honest caller opens a connection for each request, as a new reader's browser does.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Final

from node.store.engine import open_store
from node.wallet.lightning.simulated import open_simulated_network
from tests.storage.clicks import judge_clicks, people
from tests.storage.lives import Serving, settle
from tests.storage.storm import Storm
from tests.storage.waiting import until

KINDS: Final = ("nothing", "half", "drip", "body")
EACH_ADDRESS: Final = 60
CAP: Final = 64
GREEDY: Final = 200
DRIP_S: Final = 1.0
SLACK_S: Final = 5.0
LIMIT_S: Final = 120


@dataclass(frozen=True, slots=True)
class SlowRun:
    """What is asked for. `deadline_s`: the node's own, for headers and bodies."""

    sockets: int
    asks: int
    in_flight: int
    seed: int
    deadline_s: int = 10


@dataclass
class SlowReport:
    """What came of it. Latencies in ms, of the honest caller."""

    p50_ms: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    longest_s: dict[str, float] = field(default_factory=dict)
    greedy_open: int = 0
    open_at_once: int = 0
    acknowledged: int = 0
    busy: int = 0
    seconds: float = 0
    wrong: list[str] = field(default_factory=list)


async def run_slow(
    folder: Path, database: str, run: SlowRun, say: Callable[[str], None]
) -> SlowReport:
    """Ask without and under the attack; then the attack ends, and all must be as before."""
    report, began = SlowReport(), perf_counter()
    async with open_simulated_network(folder / "net", {"node": 0}) as network:
        lndconnect = network.nodes["node"].lndconnect
        port = settle(
            folder / "node", database, lndconnect, connections=CAP, deadline_s=run.deadline_s
        )
        async with open_store(database) as store:
            tokens, numbers = await people(store, 200, 2_000_000)
        storm = Storm(tokens, numbers, -(-run.in_flight // 10), run.in_flight, Random(run.seed))
        storm.addresses = [f"127.9.{n // 250}.{n % 250 + 1}" for n in range(storm.lines // 50 + 1)]
        life = Serving(folder / "node", port)
        try:
            await life.until_serving()
            await _honest(port, run.asks, report)
            say(f"without attack: p50 {report.p50_ms[0]:.1f} ms, p99 {report.p99_ms[0]:.1f} ms")
            await _attacked(port, run, storm, report, say)
            await _honest(port, run.asks, report)
            assert life.alive, life.said()
            assert await life.end() == 0, life.said()
        finally:
            life.kill()
    async with open_store(database) as store:
        report.wrong += await judge_clicks(store, storm)
    report.acknowledged, report.busy = storm.acknowledged, storm.seen["busy"]
    report.wrong += _judge(run, storm, report)
    report.seconds = perf_counter() - began
    return report


def _judge(run: SlowRun, storm: Storm, report: SlowReport) -> list[str]:
    wrong = []
    if storm.seen["unanswered"]:
        wrong.append(f"{storm.seen['unanswered']} clicks were not answered at all")
    if set(report.statuses) != {200}:
        wrong.append(f"the honest caller was answered {dict(report.statuses)}")
    if report.greedy_open > CAP:
        wrong.append(f"one address had {report.greedy_open} connections")
    for kind, longest_s in report.longest_s.items():
        if longest_s > run.deadline_s + SLACK_S:
            wrong.append(f"{kind} held a connection for {longest_s:.1f} s")
    return wrong


async def _attacked(
    port: int, run: SlowRun, storm: Storm, report: SlowReport, say: Callable[[str], None]
) -> None:
    attack = _Attack(port, report)
    tasks = [
        asyncio.create_task(attack.hold(number, KINDS[number % len(KINDS)]))
        for number in range(run.sockets)
    ]
    try:
        async with asyncio.timeout(LIMIT_S):
            while attack.open < run.sockets * 9 // 10:
                await asyncio.sleep(0.05)
        say(f"{attack.open} slow sockets are open")
        await storm.connect(port)
        await _greedy(port, run.deadline_s, report)
        await _honest(port, run.asks, report)
        say(f"under attack: p50 {report.p50_ms[1]:.1f} ms, p99 {report.p99_ms[1]:.1f} ms")
        await asyncio.sleep(run.deadline_s + 1)
        report.open_at_once = attack.most
        await storm.until_over(LIMIT_S)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    storm.hang_up()


class _Attack:
    """The slow sockets. `open`: how many the node has not closed."""

    def __init__(self, port: int, report: SlowReport) -> None:
        self._port = port
        self._report = report
        self.open = 0
        self.most = 0

    async def hold(self, number: int, kind: str) -> None:
        """One of them: it comes back whenever it is closed."""
        address = number // EACH_ADDRESS
        local = (f"127.8.{address // 250}.{address % 250 + 1}", 0)
        while True:
            with suppress(OSError):
                reader, writer = await asyncio.open_connection(
                    "127.0.0.1", self._port, local_addr=local
                )
                self.open += 1
                self.most = max(self.most, self.open)
                began = perf_counter()
                try:
                    await _until_closed(reader, writer, kind)
                finally:
                    self.open -= 1
                    self._note(kind, perf_counter() - began)
                    writer.transport.abort()
            await asyncio.sleep(0.05)

    def _note(self, kind: str, held_s: float) -> None:
        self._report.held[kind] += 1
        longest = self._report.longest_s
        longest[kind] = max(longest.get(kind, 0), held_s)


async def _until_closed(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kind: str
) -> None:
    """Say as little as the kind does, until the node has had enough."""
    start = {
        "nothing": b"",
        "half": b"GET /healthz HTTP/1.1\r\nHost: x\r\n",
        "drip": b"GET /healthz HTTP/1.1\r\n",
        "body": b"POST /api/v1/members HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Content-Length: 1000\r\n\r\n",
    }[kind]
    writer.write(start)
    dripping = asyncio.create_task(_drip(writer)) if kind in {"drip", "body"} else None
    try:
        while await reader.read(4096):
            pass
    finally:
        if dripping is not None:
            dripping.cancel()


async def _drip(writer: asyncio.StreamWriter) -> None:
    for byte in b"X-Slow: " + b"a" * 10_000:
        writer.write(bytes([byte]))
        await asyncio.sleep(DRIP_S)


async def _greedy(port: int, deadline_s: float, report: SlowReport) -> None:
    """One address tries GREEDY connections; how many stay, long before the deadline ends them."""
    opened = []
    for _ in range(GREEDY):
        with suppress(OSError):
            opened.append(
                await asyncio.open_connection("127.0.0.1", port, local_addr=("127.7.0.1", 0))
            )

    def stay() -> int:
        return sum(not one.at_eof() and one.exception() is None for one, _ in opened)

    with suppress(AssertionError):  # judged with the rest
        await until(lambda: stay() <= CAP, 0.75 * deadline_s, lambda: f"{CAP} connections")
    report.greedy_open = stay()
    for _, writer in opened:
        writer.transport.abort()


async def _honest(port: int, asks: int, report: SlowReport) -> None:
    """So many requests, one after the other, each on a connection of its own."""
    took_ms = []
    for _ in range(asks):
        began = perf_counter()
        async with asyncio.timeout(LIMIT_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(
                b"GET /api/v1/public/node HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            )
            answer = await reader.read()
        writer.close()
        took_ms.append(1000 * (perf_counter() - began))
        report.statuses[int(answer[9:12] or 0)] += 1
    took_ms.sort()
    report.p50_ms.append(took_ms[len(took_ms) // 2])
    report.p99_ms.append(took_ms[len(took_ms) * 99 // 100])
