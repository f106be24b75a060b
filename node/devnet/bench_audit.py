"""How fast the audit is: all of it that needs nobody else, on a ledger of so many postings.

prepare   months that were closed and paid (`bench_ledger.py`), once
audit     seconds of wall and of processor, peak memory; a process of its own
read      one warm read of the whole table of postings by the driver, in the same process
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, Final

from node.clock import SystemClock
from node.devnet.bench_child import median, peak_mib, run_child, say
from node.devnet.bench_ledger import write_ledger
from node.devnet.bench_places import Kind, open_place, sqlite_path
from node.errors import CorruptBooks
from node.flows.audits.audit import audit
from node.store.engine import open_store

_MODULE: Final = "bench_audit"
_READS: Final = 3
_SELECT: Final = "SELECT entry, line, debit, credit, units FROM posting ORDER BY entry, line"


@dataclass(frozen=True, slots=True)
class AuditFigures:
    """One ledger: medians over the rounds; memory is the highest."""

    database: Kind
    postings: int
    rounds: int
    seconds: float
    processor_s: float
    read_s: float
    """One warm read of the table of postings."""
    peak_mib: float

    @property
    def times_a_read(self) -> float:
        """The audit in warm reads of the table of postings."""
        return self.seconds / self.read_s


async def bench_audit(
    folder: Path, postgres: str | None, kind: Kind, postings: int, rounds: int,
    tell: Callable[[str], None],
) -> AuditFigures:  # fmt: skip
    """Audit a ledger of so many postings. Raises CorruptBooks when the audit does not pass."""
    async with open_place(folder, postgres, kind) as url:
        tell(f"{kind}: writing about {postings:,} postings")
        made = await run_child(_MODULE, "prepare", url, postings)
        runs = [await run_child(_MODULE, "audit", url) for _ in range(rounds)]
    if {run["result"] for run in runs} != {"pass"}:
        raise CorruptBooks("the audit of the bench's own ledger does not pass")
    seconds = median([run["seconds"] for run in runs])
    tell(f"{kind}: {made['postings']:,} postings audited in {seconds:.1f} s")
    return AuditFigures(
        kind, made["postings"], rounds, seconds,
        median([run["processor_s"] for run in runs]), median([run["read_s"] for run in runs]),
        max(run["peak_mib"] for run in runs),
    )  # fmt: skip


async def _prepare(url: str, postings: int) -> dict[str, Any]:
    async with open_store(url) as store:
        return {"postings": await write_ledger(store, postings)}


async def _audit(url: str) -> dict[str, Any]:
    async with open_store(url) as store:
        began, used = perf_counter(), process_time()
        report = await audit(store, SystemClock(), None)
        seconds, processor_s = perf_counter() - began, process_time() - used
        peak = peak_mib()
        read_s = await _read(url)
    return {"result": report.result, "seconds": seconds, "processor_s": processor_s,
            "peak_mib": peak, "read_s": read_s}  # fmt: skip


async def _read(url: str) -> float:
    if (path := sqlite_path(url)) is None:
        async with open_store(url) as store, store.read() as tx:
            found = []
            for _ in range(_READS + 1):
                began = perf_counter()
                await tx.plain_rows(_SELECT)
                found.append(perf_counter() - began)
        return median(found[1:])
    with closing(sqlite3.connect(path)) as connection:
        return median([_seconds(connection) for _ in range(_READS + 1)][1:])


def _seconds(connection: sqlite3.Connection) -> float:
    began = perf_counter()
    for _ in connection.execute(_SELECT):
        pass
    return perf_counter() - began


def main() -> None:
    """Run one step, named by argv."""
    step, url, *size = sys.argv[1:]
    say(asyncio.run(_prepare(url, int(size[0])) if step == "prepare" else _audit(url)))


if __name__ == "__main__":
    main()
