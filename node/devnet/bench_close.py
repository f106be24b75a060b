"""How fast a month is closed: the node's own `close_month`, in a process of its own.

    prepare    a month of so many flattrs (`bench_month.py`), once; each round closes a copy
    close      freeze ▶ … ▶ check; seconds, seconds by stage, peak memory, the result's digest
    read       the floor: the same bytes read in order, warm; and the packed rows by the driver
    naive      what one would write first: an ORM loop over one row per flattr (`bench_twins.py`)

Both databases must come to the same digest. Compared are only figures of the same run.
"""

from __future__ import annotations

import asyncio
import math
import shutil
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Final, Literal, TypeAlias

import asyncpg

from node.clock import ManualClock
from node.config import MoneySettings
from node.devnet import bench_twins
from node.devnet.bench_child import median, peak_mib, run_child, say
from node.devnet.bench_month import MONTH, MonthPlan, write_month
from node.devnet.postgres import open_database
from node.errors import CorruptBooks
from node.flows.close import Closing, close_month
from node.flows.rules import lightning_rules
from node.store.engine import open_store

Kind: TypeAlias = Literal["sqlite", "postgres"]
Tell: TypeAlias = Callable[[str], None]

READS: Final = 5
_CHUNK: Final = 1 << 20
_MODULE: Final = "bench_close"
_TABLE: Final = "SELECT sql FROM main.sqlite_master WHERE name = 'flattr_month'"
_SELECT: Final = "SELECT member, things, undone FROM flattr_month ORDER BY month, member"


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
    table_mib: float
    """The table of flattrs alone, as the database stores it."""
    table_read_s: float | None
    """SQLite: those bytes in order, warm. Postgres keeps its files to itself."""
    rows_read_s: float
    """All packed rows, by the driver, warm."""
    digest: str

    @property
    def times_a_read(self) -> float:
        """The close in warm reads of the table; by the driver where its bytes can't be read."""
        return self.seconds / (self.table_read_s or self.rows_read_s)


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
            "closes": [{**asdict(c), "times_a_read": c.times_a_read} for c in self.closes],
            "naive_flattrs": self.naive_flattrs,
            "naive_per_s": self.naive_per_s,
            "times_naive": self.times_naive,
            "exponent": {kind: self.exponent(kind) for kind in kinds},
            "digests_equal": True,
        }


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
    naive = await run_child(_MODULE, "naive", folder / "naive.sqlite", min(sizes))
    tell(f"the ORM loop: {naive['flattrs']:,} flattrs in {naive['seconds']:.1f} s")
    return Closes(found, naive["flattrs"], naive["flattrs"] / naive["seconds"])


async def _measure(
    folder: Path, postgres: str | None, kind: Kind, size: int, rounds: int
) -> CloseFigures:
    async with open_seed(folder, postgres, kind, size) as seed:
        read = await run_child(_MODULE, "read", seed)
        runs = []
        for _ in range(rounds):
            async with open_copy(seed) as url:
                runs.append(await run_child(_MODULE, "close", url))
    if len({run["digest"] for run in runs}) != 1:
        raise CorruptBooks("two closes of the same month differ")
    seconds = median([run["seconds"] for run in runs])
    flattrs = MonthPlan.of(size).flattrs
    return CloseFigures(
        kind, flattrs, rounds, seconds,
        {stage: median([run["stages_s"][stage] for run in runs]) for stage in runs[0]["stages_s"]},
        flattrs / seconds, max(run["peak_mib"] for run in runs), digest=runs[0]["digest"], **read,
    )  # fmt: skip


@asynccontextmanager
async def open_seed(
    folder: Path, postgres: str | None, kind: Kind, size: int
) -> AsyncIterator[str]:
    """The URL of a database that holds the month, to be copied; it goes with the block."""
    if kind == "sqlite":
        path = folder / f"seed-{size}.sqlite"
        url = f"sqlite:///{path}"
        await run_child(_MODULE, "prepare", url, size)
        try:
            yield url
        finally:
            path.unlink()
        return
    assert postgres is not None, "who asks for Postgres has a server"
    async with open_database(postgres) as url:
        await run_child(_MODULE, "prepare", url, size)
        yield url


@asynccontextmanager
async def open_copy(seed: str) -> AsyncIterator[str]:
    """The URL of a copy of a seed; it goes with the block."""
    if seed.startswith("sqlite"):
        path = Path(seed.removeprefix("sqlite:///"))
        copied = path.with_suffix(".copy")
        shutil.copy(path, copied)
        try:
            yield f"sqlite:///{copied}"
        finally:
            for end in ("", "-wal", "-shm"):
                Path(f"{copied}{end}").unlink(missing_ok=True)
        return
    async with open_database(seed.rpartition("/")[0], template=seed) as url:
        yield url


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


async def _read(url: str) -> dict[str, Any]:
    if url.startswith("sqlite"):
        return _read_sqlite(Path(url.removeprefix("sqlite:///")))
    connection = await asyncpg.connect(url)
    try:
        size = await connection.fetchval("SELECT pg_total_relation_size('flattr_month')")
        found = []
        for _ in range(READS + 1):
            began = perf_counter()
            async with connection.transaction():
                async for _row in connection.cursor(_SELECT, prefetch=1000):
                    pass
            found.append(perf_counter() - began)
    finally:
        await connection.close()
    return {"table_mib": size / 2**20, "table_read_s": None, "rows_read_s": median(found[1:])}


def _read_sqlite(path: Path) -> dict[str, Any]:
    """Read the table's rows, and its bytes out of a file that holds nothing else."""
    alone = path.with_suffix(".table")
    with closing(sqlite3.connect(path)) as connection:
        (made,) = connection.execute(_TABLE).fetchone()
        connection.execute("ATTACH ? AS alone", (str(alone),))
        connection.execute(made.replace("flattr_month", "alone.flattr_month", 1))
        connection.execute("INSERT INTO alone.flattr_month SELECT * FROM main.flattr_month")
        connection.commit()
        connection.execute("DETACH alone")
        rows = [_seconds(lambda: _read_rows(connection)) for _ in range(READS + 1)]
    try:
        files = [_seconds(lambda: _read_file(alone)) for _ in range(READS + 1)]
        mib = alone.stat().st_size / 2**20
    finally:
        alone.unlink()
    return {
        "table_mib": mib, "table_read_s": median(files[1:]), "rows_read_s": median(rows[1:]),
    }  # fmt: skip


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
        say(asyncio.run(_read(place)))
    else:
        say(bench_twins.close_naively(Path(place), MonthPlan.of(int(size[0]))))


if __name__ == "__main__":
    main()
