"""How fast a month is closed: the node's own `close_month`, in a process of its own.

    prepare    a month of so many flattrs (`bench_month.py`), once; each round closes a copy
    close      freeze ▶ … ▶ check; seconds, seconds by stage, peak memory, the result's digest
    read       floors, warm: the bytes of a table with one row per flattr, clustered by member, read
               in order; those of our packed table; and our packed rows by the driver
    naive      what one would write first: an ORM loop over one row per flattr (`bench_twins.py`)

Both databases must come to the same digest. Compared are only figures of the same run.
"""

from __future__ import annotations

import asyncio
import math
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Final, TypeAlias

import asyncpg

from node.clock import ManualClock
from node.config import MoneySettings
from node.devnet import bench_twins
from node.devnet.bench_child import median, peak_mib, run_child, say
from node.devnet.bench_month import MONTH, MonthPlan, marks, write_month
from node.devnet.bench_places import Kind, open_copy, open_place, sqlite_path
from node.errors import CorruptBooks
from node.flows.close import Closing, close_month
from node.flows.rules import lightning_rules
from node.store.engine import open_store

Tell: TypeAlias = Callable[[str], None]

READS: Final = 5
NAIVE_FLATTRS_MAX: Final = 100_000
"""The ORM loop takes minutes for more."""
_CHUNK: Final = 1 << 20
_MIB: Final = 2**20
_READERS_A_TURN: Final = 2_000
_MODULE: Final = "bench_close"
_TABLE: Final = "SELECT sql FROM main.sqlite_master WHERE name = 'flattr_month'"
_PLAIN: Final = (
    "CREATE TABLE flattr (month INTEGER NOT NULL, member INTEGER NOT NULL, thing INTEGER NOT NULL,"
    " PRIMARY KEY (month, member, thing)) WITHOUT ROWID"
)
_SELECT: Final = "SELECT member, things, undone FROM flattr_month ORDER BY month, member"


@dataclass(frozen=True, slots=True)
class Floor:
    """How large a table is, and what one warm read of it takes."""

    mib: float
    read_s: float


@dataclass(frozen=True, slots=True)
class CloseFigures:
    """One size on one database: medians over the rounds; memory is the highest."""

    database: Kind
    flattrs: int
    rounds: int
    seconds: float
    stages_s: dict[str, float]
    flattrs_per_s: float
    peak_mib: float
    table: Floor
    """One row per flattr, in a SQLite file of its own: what the month holds, written plainly."""
    packed: Floor
    """The node's own table. On SQLite its bytes; Postgres keeps its files to itself: by rows."""
    rows_read_s: float
    """All packed rows, by the driver, warm."""
    digest: str

    @property
    def times_a_read(self) -> float:
        """The close in warm reads of the month with one row per flattr."""
        return self.seconds / self.table.read_s

    @property
    def times_a_packed_read(self) -> float:
        """The close in warm reads of the packed table, which is a fifth as large."""
        return self.seconds / self.packed.read_s


@dataclass(frozen=True, slots=True)
class Closes:
    """What the bench of the close found."""

    closes: list[CloseFigures]
    naive_flattrs: int
    naive_per_s: float

    @property
    def times_naive(self) -> float:
        """Flattrs a second on SQLite over those of the ORM loop, at its size."""
        (ours,) = [c for c in self.closes if self._is_naives(c)] or [self.closes[0]]
        return ours.flattrs_per_s / self.naive_per_s

    def _is_naives(self, close: CloseFigures) -> bool:
        return close.flattrs == self.naive_flattrs and close.database == self.closes[0].database

    def exponent(self, database: Kind) -> float | None:
        """How seconds grow with flattrs between the two largest sizes: 1.0 is in proportion."""
        ours = sorted((c for c in self.closes if c.database == database), key=lambda c: c.flattrs)
        if len(ours) < 2:  # noqa: PLR2004  growth is between two
            return None
        small, large = ours[-2:]
        return math.log(large.seconds / small.seconds) / math.log(large.flattrs / small.flattrs)

    def figures(self) -> dict[str, Any]:
        """For --json."""
        kinds = sorted({close.database for close in self.closes})
        return {
            "closes": [
                {**asdict(close), "times_a_read": close.times_a_read,
                 "times_a_packed_read": close.times_a_packed_read}
                for close in self.closes
            ],
            "naive_flattrs": self.naive_flattrs,
            "naive_per_s": self.naive_per_s,
            "times_naive": self.times_naive,
            "exponent": {kind: self.exponent(kind) for kind in kinds},
            "digests_equal": True,
        }  # fmt: skip


async def bench_close(
    folder: Path, postgres: str | None, kinds: Sequence[Kind], sizes: Sequence[int], rounds: int,
    tell: Tell,
) -> Closes:  # fmt: skip
    """Close months of these sizes. Raises CorruptBooks when two closes of one month differ."""
    found = []
    for size in sizes:
        for kind in kinds:
            found.append(await _measure(folder, postgres, kind, size, rounds))
            close = found[-1]
            tell(f"{kind}: {size:,} flattrs closed in {close.seconds:.2f} s")
        if len({close.digest for close in found if close.flattrs == found[-1].flattrs}) != 1:
            raise CorruptBooks(f"two closes of the same month of {size:,} flattrs differ")
    naive_size = min(NAIVE_FLATTRS_MAX, *sizes)
    tell(f"the ORM loop begins: {naive_size:,} flattrs, about {naive_size / 6000:.0f} s")
    naive = await run_child(_MODULE, "naive", folder / "naive.sqlite", naive_size)
    tell(f"the ORM loop: {naive['flattrs']:,} flattrs in {naive['seconds']:.1f} s")
    return Closes(found, naive["flattrs"], naive["flattrs"] / naive["seconds"])


async def _measure(
    folder: Path, postgres: str | None, kind: Kind, size: int, rounds: int
) -> CloseFigures:
    async with open_place(folder, postgres, kind) as seed:
        await run_child(_MODULE, "prepare", seed, size)
        read = await run_child(_MODULE, "read", seed, size)
        runs = []
        for _ in range(rounds):
            async with open_copy(seed) as url:
                runs.append(await run_child(_MODULE, "close", url))
    if len({run["digest"] for run in runs}) != 1:
        raise CorruptBooks("two closes of the same month differ")
    seconds, flattrs = median([run["seconds"] for run in runs]), MonthPlan.of(size).flattrs
    return CloseFigures(
        kind, flattrs, rounds, seconds,
        {stage: median([run["stages_s"][stage] for run in runs]) for stage in runs[0]["stages_s"]},
        flattrs / seconds, max(run["peak_mib"] for run in runs), Floor(*read["table"]),
        Floor(*read["packed"]), read["rows_read_s"], runs[0]["digest"],
    )  # fmt: skip


async def _prepare(url: str, size: int) -> dict[str, Any]:
    async with open_store(url) as store:
        await write_month(store, MonthPlan.of(size))
    return {}


async def _close(url: str) -> dict[str, Any]:
    stages_s: dict[str, float] = {}
    async with open_store(url) as store:
        began = last = perf_counter()

        def progress(words: str) -> None:
            nonlocal last
            if not words.startswith(("froze", f"{MONTH}: ")):
                return
            stage = "frozen" if words.startswith("froze") else words.rpartition(" ")[2]
            stages_s[stage], last = perf_counter() - last, perf_counter()

        rules = lightning_rules(MoneySettings())
        parts = Closing(store, ManualClock(MONTH.ends_s + 60), rules, progress)
        close = await close_month(parts, MONTH)
        seconds = perf_counter() - began
    return {
        "seconds": seconds, "stages_s": stages_s, "peak_mib": peak_mib(), "digest": close.digest,
    }  # fmt: skip


async def _read(url: str, size: int) -> dict[str, Any]:
    table = _plain_table(size)
    if (path := sqlite_path(url)) is not None:
        packed, read_s = _read_sqlite(path)
        return {"table": table, "packed": packed, "rows_read_s": read_s}
    connection = await asyncpg.connect(url)
    try:
        bytes_ = await connection.fetchval("SELECT pg_total_relation_size('flattr_month')")
        found = []
        for _ in range(READS + 1):
            began = perf_counter()
            async with connection.transaction():
                async for _row in connection.cursor(_SELECT, prefetch=1000):
                    pass
            found.append(perf_counter() - began)
    finally:
        await connection.close()
    read_s = median(found[1:])
    return {"table": table, "packed": (bytes_ / _MIB, read_s), "rows_read_s": read_s}


def _read_sqlite(path: Path) -> tuple[tuple[float, float], float]:
    """(MiB and seconds of the packed table's bytes, seconds of its rows by the driver)."""
    alone = path.with_suffix(".table")
    with closing(sqlite3.connect(path)) as connection:
        (made,) = connection.execute(_TABLE).fetchone()
        connection.execute("ATTACH ? AS alone", (str(alone),))
        connection.execute(made.replace("flattr_month", "alone.flattr_month", 1))
        connection.execute("INSERT INTO alone.flattr_month SELECT * FROM main.flattr_month")
        connection.commit()
        connection.execute("DETACH alone")
        rows = [_seconds(lambda: _read_rows(connection)) for _ in range(READS + 1)]
    return _read_away(alone), median(rows[1:])


def _plain_table(size: int) -> tuple[float, float]:
    """The same month with one row per flattr: MiB, and seconds of one warm read."""
    plan = MonthPlan.of(size)
    with tempfile.TemporaryDirectory(prefix="flattr-bench-") as folder:
        path = Path(folder) / "plain.sqlite"
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(_PLAIN)
            connection.executemany("INSERT INTO flattr VALUES (?, ?, ?)", _plain_rows(plan))
            connection.commit()
        return _read_away(path)


def _plain_rows(plan: MonthPlan) -> Iterator[tuple[int, int, int]]:
    for first in range(0, plan.readers, _READERS_A_TURN):
        readers = range(first, min(first + _READERS_A_TURN, plan.readers))
        for reader, things in marks(readers, plan.things):
            for thing in things.tolist():
                yield MONTH.ordinal, reader, thing


def _read_away(path: Path) -> tuple[float, float]:
    """(MiB, seconds of one warm read) of a file, which is removed."""
    try:
        files = [_seconds(lambda: _read_file(path)) for _ in range(READS + 1)]
        return path.stat().st_size / _MIB, median(files[1:])
    finally:
        path.unlink()


def _read_file(path: Path) -> None:
    with path.open("rb", buffering=0) as file:
        buffer = bytearray(_CHUNK)
        while file.readinto(buffer):
            pass


def _read_rows(connection: sqlite3.Connection) -> None:
    for _ in connection.execute(_SELECT):
        pass


def _seconds(work: Callable[[], None]) -> float:
    began = perf_counter()
    work()
    return perf_counter() - began


def main() -> None:
    """Run one step, named by argv."""
    step, place, *size = sys.argv[1:]
    if step == "prepare":
        say(asyncio.run(_prepare(place, int(size[0]))))
    elif step == "close":
        say(asyncio.run(_close(place)))
    elif step == "read":
        say(asyncio.run(_read(place, int(size[0]))))
    else:
        say(bench_twins.close_naively(Path(place), MonthPlan.of(int(size[0]))))


if __name__ == "__main__":
    main()
