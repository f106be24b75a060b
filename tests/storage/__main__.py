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


FIGURES: Final[dict[str, Figure]] = {"clicks": _clicks, "cuts": _cuts, "disk": _disk}
ONLY_ON: Final = {"cuts": "postgres", "disk": "sqlite"}


def main() -> int:
    """Read argv, run, print; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.storage")
    parser.add_argument("figure", choices=sorted(FIGURES))
    parser.add_argument("--database", choices=DATABASES, help="both, if left out")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=10, help="of each fault, of each race")
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
