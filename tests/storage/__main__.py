"""The full figures of faults in storage: `python -m tests.storage clicks --kills 200`.

Each command prints its progress and a table, and ends with 1 when something was lost, counted or
paid twice; then it says the one command that plays the same again. `make test` plays a sample.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import uvloop

from node import log
from node.devnet.postgres import open_database, open_postgres
from tests.storage.clicks import ClickRun, run_clicks
from tests.storage.cuts import run_cuts
from tests.storage.disk import run_disk
from tests.storage.outages import run_outages
from tests.storage.races import AT_ONCE, WRITERS, run_races
from tests.storage.slow import GREEDY, SlowRun, run_slow

DATABASES: Final = ("sqlite", "postgres")
Figure = Callable[[argparse.Namespace, str, Path], Awaitable[tuple[str, list[str]]]]


async def _clicks(
    arguments: argparse.Namespace, database: str, folder: Path
) -> tuple[str, list[str]]:
    run = ClickRun(arguments.kills, arguments.in_flight, arguments.lines, arguments.seed)
    report = await run_clicks(folder, database, run)
    words = (
        f"{report.kills} kills ({report.early_kills} before it served), {run.in_flight} requests in"
        f" flight on {run.lines} connections: {report.acknowledged} clicks acknowledged,"
        f" {report.repeated} repeated under their old key, {report.unanswered} not answered,"
        f" {report.busy} told to come again; {report.seconds:.0f} s"
    )
    return words, report.wrong


async def _cuts(
    arguments: argparse.Namespace, database: str, folder: Path
) -> tuple[str, list[str]]:
    del arguments
    report = await run_cuts(folder, database.rpartition("/")[0], print, each_commit=True)
    for written, cuts in sorted(Counter(kind for kind, _ in report.by_kind.elements()).items()):
        print(f"  {cuts:4} cuts of: {written}")
    words = (
        f"{report.plays} months played, {report.by_kind.total()} commits cut before, during and"
        f" after; the node was told {report.away.total()} times that the database is away"
    )
    return words, report.wrong


async def _disk(
    arguments: argparse.Namespace, database: str, folder: Path
) -> tuple[str, list[str]]:
    path = Path(database.removeprefix("sqlite:///"))
    report = await run_disk(folder, path, arguments.rounds, arguments.seed, print)
    for fault, hits in sorted(report.hits.items()):
        print(f"  {hits:5} system calls met {fault}")
    for words in sorted(report.unready_said):
        print(f"  /readyz said: {words}")
    words = (
        f"{report.faults} faults of the disk, {report.deaths} of them deadly:"
        f" {report.acknowledged} clicks acknowledged, {report.refused} told to come again,"
        f" {report.moved['200']} movements of money done, {report.moved['503']} told to come"
        f" again, {report.moved['unanswered']} not answered; {report.seconds:.0f} s"
    )
    return words, report.wrong


async def _outages(
    arguments: argparse.Namespace, database: str, folder: Path
) -> tuple[str, list[str]]:
    del database  # each has a server of its own, which is killed
    months = arguments.rounds
    report = await run_outages(folder, arguments.kills, months, arguments.seed, print)
    for killed, kills in sorted(report.kills.items()):
        print(f"  {kills:4} kills of {killed}")
    words = (
        f"{report.kills.total()} kills of Postgres: {report.acknowledged} clicks acknowledged,"
        f" {report.refused} told to come again, {report.moved['200']} movements of money done,"
        f" {report.moved['503']} told to come again; {report.months} months paid out, in which"
        f" {report.away.total()} steps met a database that was away; clicks and money go on"
        f" {report.slowest_return_s:.1f} s after the start of Postgres, at most;"
        f" {report.seconds:.0f} s"
    )
    return words, report.wrong


async def _races(
    arguments: argparse.Namespace, database: str, folder: Path
) -> tuple[str, list[str]]:
    report = await run_races(folder, database, arguments.rounds, arguments.seed, print)
    for end, number in sorted(report.ends.items()):
        print(f"  {number:6} {end}")
    words = (
        f"{report.races} races of {AT_ONCE} requests for one member's money, and {WRITERS} writers;"
        f" {report.seconds:.0f} s"
    )
    return words, report.wrong


async def _slow(
    arguments: argparse.Namespace, database: str, folder: Path
) -> tuple[str, list[str]]:
    run = SlowRun(arguments.sockets, 200, 5 * 1000, arguments.seed)
    report = await run_slow(folder, database, run, print)
    for kind, closed in sorted(report.held.items()):
        print(f"  {kind:8} {closed:6} closed, the last after {report.longest_s[kind]:.1f} s")
    before, under, after = report.p99_ms
    words = (
        f"{report.open_at_once} slow sockets at once and {run.in_flight} clicks in flight:"
        f" {report.statuses.total()} honest requests answered, p99 {before:.1f} ms before,"
        f" {under:.1f} ms under attack ({under / before:.1f} times), {after:.1f} ms after;"
        f" {report.acknowledged} clicks acknowledged, {report.busy} told to come again;"
        f" one address of {GREEDY} tries had {report.greedy_open} connections;"
        f" {report.seconds:.0f} s"
    )
    return words, report.wrong


FIGURES: Final[dict[str, Figure]] = {
    "clicks": _clicks, "cuts": _cuts, "disk": _disk, "outages": _outages, "races": _races,
    "slow": _slow,
}  # fmt: skip
ONLY_ON: Final = {"cuts": "postgres", "disk": "sqlite", "outages": "postgres"}


def main() -> int:
    """Read argv, run, print; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.storage")
    parser.add_argument("figure", choices=sorted(FIGURES))
    parser.add_argument("--database", choices=DATABASES, help="both, if left out")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=10, help="of each fault, of each race")
    parser.add_argument("--sockets", type=int, default=2000)
    parser.add_argument("--in-flight", type=int, default=10_000)
    parser.add_argument("--lines", type=int, default=1000)
    arguments = parser.parse_args()
    log.set_up(level=logging.CRITICAL)
    failed = False
    rows = []
    only = ONLY_ON.get(arguments.figure, arguments.database)
    for name in [only] if only else DATABASES:
        words, wrong = uvloop.run(_figure(arguments, name))
        rows.append(f"{arguments.figure:9} {name:9} {'WRONG' if wrong else 'right':6} {words}")
        for line in wrong:
            print(f"  {line}")
        if wrong:
            failed = True
            print(f"again: python -m tests.storage {' '.join(sys.argv[1:])} --database {name}")
    print("\n".join(rows))
    return int(failed)


async def _figure(arguments: argparse.Namespace, name: str) -> tuple[str, list[str]]:
    with tempfile.TemporaryDirectory(prefix="flattr-storage-") as place:
        folder = Path(place)
        async with _database(name, folder) as url:
            return await FIGURES[arguments.figure](arguments, url, folder)


@asynccontextmanager
async def _database(name: str, folder: Path) -> AsyncIterator[str]:
    if name == "sqlite":
        yield f"sqlite:///{folder / 'flattr.sqlite'}"
        return
    with open_postgres() as server:
        async with open_database(server) as url:
            yield url


if __name__ == "__main__":
    sys.exit(main())
