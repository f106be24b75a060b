"""Writing clicks: one transaction for a whole group, on a connection of its own.

The month of a click is decided here, by the clock at the moment of writing, under the fence that a
freeze needs alone: so an acknowledged click is in the month that it was told, and a frozen month
gets no more. A group is one row (`inbox.py`) and one statement that is its own transaction: SQLite
is written by its own driver in one thread, which after each further step would wait until the event
loop lets it go on; Postgres does all of it in a function of ours (`dialect.functions`), and a few
groups are under way at once, whose commits it writes together. (The ORM's way costs thirty times as
much in either; see docs/performance.md.) SQLite has one writer: the groups of several web processes
come to it by `click_socket.py`, and those that wait at the same time share a commit.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final, Protocol

import asyncpg

from node.clock import Clock
from node.failpoints import failpoint
from node.month import Month
from node.store.engine import Store
from node.store.inbox import ClickRow, PackedGroup, pack_group
from node.store.sqlite import PRAGMAS

POSTGRES_WRITERS: Final = 4
CONNECT_LIMIT_S: Final = 10
ANSWER_LIMIT_S: Final = 30
"""A network that swallows what is sent would be waited for a quarter of an hour."""
_SETTINGS: Final = {"default_transaction_isolation": "read committed"}
"""The fence looks again after it has waited, which a snapshot of before would not show."""
_INSERT: Final = (
    "INSERT INTO flattr_inbox (month, at_us, clicks, keys) SELECT ?1, ?2, ?3, ?4"
    " WHERE NOT EXISTS (SELECT 1 FROM close WHERE month = ?1)"
)
"""A group into a month, or nothing when the month is frozen."""
_WRITE: Final = "SELECT write_clicks($1, $2, $3, $4)"


class ClickWriter(Protocol):
    """One per database, since their drivers are what differs."""

    async def commit(self, clicks: Sequence[ClickRow]) -> Month:
        """Make the clicks durable; the month that they are in. Raises whatever the driver does."""
        ...


@asynccontextmanager
async def open_click_writers(store: Store, clock: Clock) -> AsyncIterator[Sequence[ClickWriter]]:
    """The writers for this database: one for SQLite, POSTGRES_WRITERS for Postgres."""
    if store.dialect.name == "postgresql":
        async with _open_postgres_writers(store, clock) as writers:
            yield writers
    else:
        async with open_sqlite_writer(store, clock) as writer:
            yield [writer]


@asynccontextmanager
async def open_sqlite_writer(store: Store, clock: Clock) -> AsyncIterator[SqliteWriter]:
    """SQLite's one writer, in a thread of its own; ends when what waits is written."""
    with ThreadPoolExecutor(1, thread_name_prefix="clicks") as thread:
        loop = asyncio.get_running_loop()
        connection = await loop.run_in_executor(thread, _connect, store.path)
        writer = SqliteWriter(connection, clock, thread)
        try:
            yield writer
        finally:
            await writer.drain()
            await loop.run_in_executor(thread, connection.close)


@asynccontextmanager
async def _open_postgres_writers(store: Store, clock: Clock) -> AsyncIterator[list[ClickWriter]]:
    async with AsyncExitStack() as stack:
        url = store.url.replace("+asyncpg", "")
        writers = [_PostgresWriter(url, clock) for _ in range(POSTGRES_WRITERS)]
        for writer in writers:
            stack.push_async_callback(writer.close)
        yield [*writers]


class SqliteWriter:
    """One thread with one connection; what waits when it is free is written in one transaction."""

    def __init__(
        self, connection: sqlite3.Connection, clock: Clock, thread: ThreadPoolExecutor
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._thread = thread
        self._waiting: list[tuple[PackedGroup, asyncio.Future[Month]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def commit(self, clicks: Sequence[ClickRow]) -> Month:
        """Make the clicks durable; the month that they are in. Raises sqlite3.Error."""
        return await self.commit_packed(pack_group(clicks))

    async def commit_packed(self, group: PackedGroup) -> Month:
        """The same for a group that is packed already."""
        done: asyncio.Future[Month] = asyncio.get_running_loop().create_future()
        self._waiting.append((group, done))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all(), name="commit clicks")
        return await done

    async def drain(self) -> None:
        """Wait until nothing waits."""
        if self._writing is not None:
            await self._writing

    async def _write_all(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            some, self._waiting = self._waiting, []
            groups = [group for group, _ in some]
            try:
                month = await loop.run_in_executor(self._thread, self._commit, groups)
            except Exception as error:  # noqa: BLE001  raised to everybody who waits
                _tell(some, error)
            else:
                _tell(some, month)
        self._writing = None

    def _commit(self, groups: Sequence[PackedGroup]) -> Month:
        at_us = self._clock.now_us()
        month = Month.at(at_us // 1_000_000)
        failpoint("click.before_commit")
        while not self._insert(groups, month, at_us):
            month = month.plus(1)  # it is frozen
        failpoint("click.after_commit")
        return month

    def _insert(self, groups: Sequence[PackedGroup], month: Month, at_us: int) -> bool:
        """Whether the month took the groups: all of them or none, since it is frozen."""
        execute = self._connection.execute
        if len(groups) == 1:
            return bool(execute(_INSERT, (month.ordinal, at_us, *groups[0])).rowcount)
        execute("BEGIN IMMEDIATE")
        try:
            took = [execute(_INSERT, (month.ordinal, at_us, *one)).rowcount for one in groups]
            execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                execute("ROLLBACK")
            raise
        return all(took)


class _PostgresWriter:
    """Connects when it first writes, and anew after each failure: the server may be back."""

    def __init__(self, url: str, clock: Clock) -> None:
        self._url = url
        self._clock = clock
        self._connection: asyncpg.Connection | None = None

    async def commit(self, clicks: Sequence[ClickRow]) -> Month:
        if self._connection is None:
            self._connection = await asyncpg.connect(
                self._url,
                server_settings=_SETTINGS,
                timeout=CONNECT_LIMIT_S,
                command_timeout=ANSWER_LIMIT_S,
            )
        failpoint("click.before_commit")
        try:
            landed = await self._write(self._connection, clicks)
        except Exception:
            self._connection.terminate()
            self._connection = None
            raise
        failpoint("click.after_commit")
        return Month.from_ordinal(landed)

    async def _write(self, connection: asyncpg.Connection, clicks: Sequence[ClickRow]) -> int:
        at_us = self._clock.now_us()
        first = Month.at(at_us // 1_000_000).ordinal
        return int(await connection.fetchval(_WRITE, first, at_us, *pack_group(clicks)))

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()


def _connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    for pragma in PRAGMAS:
        connection.execute(pragma)
    return connection


def _tell(
    some: Sequence[tuple[PackedGroup, asyncio.Future[Month]]], answer: Month | Exception
) -> None:
    for _, done in some:
        if done.done():
            continue  # who waited has gone away
        if isinstance(answer, Month):
            done.set_result(answer)
        else:
            done.set_exception(answer)
