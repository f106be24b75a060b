"""SQLite without threads: a statement is done at once, in the loop, and can be struck by a fault.

It stands at two seams: `aiosqlite.connect`, under SQLAlchemy and the store's driver, and the click
writer's own connection. No transaction is short here, for its statements could not be struck. A
lock that another connection holds is waited for in virtual time, as SQLite waits in real time.
`Strikes` is asked at each statement and commit.

    none                  it is done
    abort                 it is not done, the transaction is undone, OperationalError
    unknown (commits)     it is done, and the answer is lost: OperationalError
    stall (commits)       it is done, and the answer comes minutes later
    kill                  the process dies before it
    kill after (commits)  the process dies after it
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import Enum, auto
from types import SimpleNamespace
from typing import Any, Final, Protocol
from unittest.mock import patch

import aiosqlite

from node.store.sqlite import PRAGMAS, Driver
from tests.crash.process import Killed, Process, current

WAIT_FIRST_S: Final = 0.001
WAIT_LONGEST_S: Final = 0.25
WAIT_ALL_S: Final = 10.0
_BUSY: Final = "PRAGMA busy_timeout"


class Strike(Enum):
    """What happens to one statement or commit."""

    NONE = auto()
    ABORT = auto()
    UNKNOWN = auto()
    STALL = auto()
    KILL = auto()
    KILL_AFTER = auto()


class Strikes(Protocol):
    """Decides, for each statement and commit of a process."""

    def at_statement(self, process: Process) -> Strike:
        """A statement is about to be done."""
        ...

    def at_commit(self, process: Process) -> Strike:
        """A commit, or a statement that commits itself, is about to be done."""
        ...

    def stall_s(self) -> float:
        """How long a commit's answer takes that stalls, in seconds."""
        ...

    def turns(self) -> bool:
        """Whether other tasks get a turn before this statement."""
        ...


class DirectConnection(aiosqlite.Connection):
    """aiosqlite's connection, whose errands are run where they are asked for."""

    def __init__(self, connector: Callable[[], sqlite3.Connection], strikes: Strikes) -> None:
        self._running = True
        self._connection: sqlite3.Connection | None = None
        self._connector = connector
        self._iter_chunk_size = 64
        self._thread: Any = SimpleNamespace(daemon=True)  # SQLAlchemy marks it
        self._tx: Any = SimpleNamespace(put_nowait=_run_at_once)  # SQLAlchemy uses it for one thing
        self._strikes = strikes
        self._process = current()

    def __del__(self) -> None:
        self._shut()

    def __await__(self) -> Generator[Any, None, DirectConnection]:
        return self._opened().__await__()

    def stop(self) -> None:
        """Close, without waiting for anybody."""
        self._shut()

    async def close(self) -> None:
        """Close; what is not committed is undone."""
        self._shut()

    async def commit(self) -> None:
        """Commit, or what has struck instead."""
        self._process.demand_alive()
        if _commit(self._process, self._conn, self._strikes, self._conn.commit) is Strike.STALL:
            await asyncio.sleep(self._strikes.stall_s())
            self._process.demand_alive()

    async def _opened(self) -> DirectConnection:
        self._process.demand_alive()
        self._connection = self._connector()
        self._process.on_kill.append(self._shut)
        return self

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if args and isinstance(args[0], str):
            if args[0].startswith(_BUSY):
                return None
            await self._struck()
        self._process.demand_alive()
        if self._connection is None:
            raise ValueError("Connection closed")
        waited_s, wait_s = 0.0, WAIT_FIRST_S
        while True:
            try:
                return fn(*args, **kwargs)
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or waited_s > WAIT_ALL_S:
                    raise
            await asyncio.sleep(wait_s)
            waited_s += wait_s
            wait_s = min(2 * wait_s, WAIT_LONGEST_S)
            self._process.demand_alive()

    async def _struck(self) -> None:
        if self._strikes.turns():
            await asyncio.sleep(0)
        self._process.demand_alive()
        match self._strikes.at_statement(self._process):
            case Strike.ABORT:
                if self._connection is not None:
                    self._connection.rollback()
                raise sqlite3.OperationalError("disk I/O error")
            case Strike.KILL | Strike.KILL_AFTER:
                self._process.kill("at a statement")
                raise Killed
            case Strike.NONE | Strike.UNKNOWN | Strike.STALL:
                return

    def _shut(self) -> None:
        self._running = False
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()


class DirectClicks:
    """The click writer's connection: each of its statements commits itself."""

    def __init__(self, path: str, strikes: Strikes) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, timeout=0)
        for pragma in PRAGMAS:
            if not pragma.startswith(_BUSY):
                self._connection.execute(pragma)
        self._strikes = strikes
        self._process = current()
        self._process.on_kill.append(self._connection.close)

    def execute(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """Do it, or what has struck instead."""
        self._process.demand_alive()
        done = []
        _commit(
            self._process,
            self._connection,
            self._strikes,
            lambda: done.append(self._connection.execute(sql, values)),
        )
        return done[0]

    def close(self) -> None:
        """Close."""
        self._connection.close()


def _run_at_once(errand: tuple[asyncio.Future[Any], Callable[[], Any]]) -> None:
    future, function = errand
    future.set_result(function())


def _commit(
    process: Process, connection: sqlite3.Connection, strikes: Strikes, work: Callable[[], Any]
) -> Strike:
    strike = strikes.at_commit(process)
    match strike:
        case Strike.NONE | Strike.STALL:
            work()
        case Strike.ABORT:
            connection.rollback()
            raise sqlite3.OperationalError("disk I/O error")
        case Strike.UNKNOWN:
            work()
            raise sqlite3.OperationalError("disk I/O error")
        case Strike.KILL:
            process.kill("before a commit")
            raise Killed
        case Strike.KILL_AFTER:
            work()
            process.kill("after a commit")
            raise Killed
    return strike


@contextmanager
def open_direct_sqlite(strikes: Strikes) -> Iterator[None]:
    """Every SQLite connection of the node is a direct one, within this block.

    The database file must be migrated already: opening it runs no migration.
    """

    def connect(path: str, **more: Any) -> DirectConnection:
        wanted = {**more, "timeout": 0, "check_same_thread": False}
        return DirectConnection(lambda: sqlite3.connect(path, **wanted), strikes)

    with (
        patch.object(aiosqlite, "connect", connect),
        patch("node.store.click_writer._connect", lambda path: DirectClicks(path, strikes)),
        patch.object(Driver, "short", lambda driver: driver),
        patch("node.store.engine.upgrade", lambda *_: None),
    ):
        yield
