"""Clicks by several processes on one port and one database, beside one process that does nothing.

    one process       the no-op and the clicks of `bench_clicks.py`
    two, four         the same server as often, on one port; the kernel shares connections out

On SQLite the first process writes for all of them, and the others bring it their groups; on
Postgres each writes its own. All servers run at the same time and are asked in turn, so a slow
moment of the machine meets all. Where there are no more cores than processes, the load, the servers
and the database take from each other: what more processes bring shows only beyond that.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from node.devnet.bench_child import median, open_child, run_child
from node.devnet.bench_clicks import Load, Name
from node.devnet.bench_load import LoadFigures
from node.devnet.bench_places import Kind, open_copy, open_place

PROCESSES: Final = (1, 2, 4)
_CLICKS: Final = "bench_clicks"
_WARM_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class ProcessFigures:
    """So many processes on one database: medians over the rounds."""

    database: Kind
    processes: int
    rounds: int
    noop_per_s: float
    """Of one process that does nothing."""
    clicks_per_s: float
    of_noop: float
    """Clicks over the no-op of one process, of the same round."""
    times_one: float
    """Clicks over those of one process, of the same round."""
    p50_ms: float
    p99_ms: float


async def bench_processes(
    folder: Path, postgres: str | None, kind: Kind, load: Load, tell: Callable[[str], None]
) -> list[ProcessFigures]:
    """Measure one database with each number of PROCESSES. Raises DaemonError."""
    async with AsyncExitStack() as stack:
        seed = await stack.enter_async_context(open_place(folder, postgres, kind))
        tell(f"{kind}: writing {load.rows:,} rows into the inbox")
        await run_child(_CLICKS, "prepare", seed, load.rows)
        ports = {}
        for processes in PROCESSES:
            url = await stack.enter_async_context(open_copy(seed))
            ports[processes] = await stack.enter_async_context(_open_servers(url, kind, processes))
        for processes in PROCESSES:
            await _press(ports[processes], "clicks", load, _WARM_S)
        rounds = []
        for number in range(load.rounds):
            noop = await _press(ports[1], "noop", load, load.seconds, number)
            clicks = {
                processes: await _press(port, "clicks", load, load.seconds, number)
                for processes, port in ports.items()
            }
            rounds.append((noop, clicks))
            told = ", ".join(f"{n} {one.per_s:,.0f}/s" for n, one in clicks.items())
            tell(f"{kind}: round {number + 1}: no-op {noop.per_s:,.0f}/s, processes {told}")
    return [_figures(kind, processes, rounds) for processes in PROCESSES]


@asynccontextmanager
async def _open_servers(url: str, kind: Kind, processes: int) -> AsyncIterator[int]:
    """The port that so many processes answer on."""
    async with AsyncExitStack() as stack:
        room = stack.enter_context(tempfile.TemporaryDirectory(prefix="flattr-bench-"))
        socket, alone = str(Path(room) / "clicks"), kind == "postgres"
        port = 0
        for number in range(processes):
            role = "alone" if alone else "asks" if number else "writes"
            words = (url, port, socket, role) if processes > 1 else (url,)
            told = await stack.enter_async_context(open_child(_CLICKS, "serve", *words))
            port = int(told["port"])
        yield port


async def _press(port: int, name: Name, load: Load, seconds: float, seed: int = 0) -> LoadFigures:
    words = (port, name, load.connections, seconds, seed)
    return LoadFigures(**await run_child(_CLICKS, "load", *words))


def _figures(
    kind: Kind, processes: int, rounds: Sequence[tuple[LoadFigures, dict[int, LoadFigures]]]
) -> ProcessFigures:
    ours = [clicks[processes] for _, clicks in rounds]
    return ProcessFigures(
        kind, processes, len(rounds), median([noop.per_s for noop, _ in rounds]),
        median([one.per_s for one in ours]),
        median([clicks[processes].per_s / noop.per_s for noop, clicks in rounds]),
        median([clicks[processes].per_s / clicks[1].per_s for _, clicks in rounds]),
        median([one.p50_ms for one in ours]), median([one.p99_ms for one in ours]),
    )  # fmt: skip
