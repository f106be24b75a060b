"""Processes of the simulation die as real ones do: at once, without what was not committed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from node import failpoints
from node.store import leases
from node.store.engine import Store, open_store
from tests.crash.direct_sqlite import Strike, open_direct_sqlite
from tests.crash.loop import run_virtual
from tests.crash.process import Killed, Process, open_processes
from tests.crash.seeds import quiet
from tests.crash.template import FILE, database_folder, template

CURSOR = "a cursor"


class Strikes:
    """Strikes the commits that come, one after the other."""

    def __init__(self, *commits: Strike) -> None:
        self.commits = list(commits)

    def at_statement(self, process: Process) -> Strike:
        del process
        return Strike.NONE

    def at_commit(self, process: Process) -> Strike:
        del process
        return self.commits.pop(0) if self.commits else Strike.NONE

    def stall_s(self) -> float:
        return 100.0

    def turns(self) -> bool:
        return True


async def write(store: Store) -> None:
    async with store.write() as tx:
        await leases.set_cursor(tx, CURSOR, 7)
        failpoints.failpoint("fold.before_commit")


async def read(store: Store) -> int:
    async with store.read() as tx:
        return await leases.cursor(tx, CURSOR)


def play(folder: Path, commits: list[Strike], work: Callable[[Store], Awaitable[None]]) -> int:
    """One process does the work, struck so; what another one sees afterwards."""
    strikes = Strikes()

    async def first(store_url: str) -> None:
        async with open_store(store_url) as store:
            strikes.commits = commits  # opening commits too, and is not to be struck
            await work(store)

    async def second(store_url: str) -> int:
        async with open_store(store_url) as store:
            return await read(store)

    async def both() -> int:
        url = f"sqlite:///{folder / FILE}"
        with open_processes(), open_direct_sqlite(strikes):
            process = Process("first")
            try:
                await process.run(first(url))
            except Killed:
                await process.bury()
            strikes.commits = []
            return await Process("second").run(second(url))

    with quiet():
        return run_virtual(both())


@pytest.fixture
def folder(tmp_path):
    template()
    with database_folder(f"test-{tmp_path.name}") as made:
        yield made


@pytest.mark.parametrize(
    ("commits", "seen"),
    [([], 7), ([Strike.KILL], 0), ([Strike.KILL_AFTER], 7), ([Strike.STALL], 7)],
)
def test_what_was_committed_is_there_and_nothing_else(folder, commits, seen):
    assert play(folder, commits, write) == seen


@pytest.mark.parametrize(("strike", "seen"), [(Strike.ABORT, 0), (Strike.UNKNOWN, 7)])
def test_an_answer_that_is_lost_says_nothing_of_the_commit(folder, strike, seen):
    async def fails(store: Store) -> None:
        with pytest.raises(OperationalError):
            await write(store)

    assert play(folder, [strike], fails) == seen


def test_a_failpoint_kills_the_process_that_passes_it(folder):
    async def dies(store: Store) -> None:
        failpoints.arm({"fold.before_commit": "raise"})
        try:
            await write(store)
        except BaseException:
            await asyncio.sleep(0)
            await write(store)  # a dead process writes nothing, whatever its handlers do
            raise

    assert play(folder, [], dies) == 0
