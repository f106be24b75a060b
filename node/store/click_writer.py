"""Writing clicks: one transaction for a whole group, on a connection of its own.

The month of a click is decided here, by the clock at the moment of writing, under the fence that a
freeze needs alone: so an acknowledged click is in the month that it was told, and a frozen month
gets no more. SQLite is written by its own driver in one thread, a group in one statement that is
its own transaction: after each step the thread would wait until the event loop lets it go on.
Postgres does all of it in a function of ours (`dialect.functions`), so that a group is one message
there and back, and a few groups are under way at once, whose commits it writes together. (The
ORM's way costs thirty times as much in either; see docs/performance.md.)
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Final, Protocol, TypeAlias

import asyncpg

from node.clock import Clock
from node.failpoints import failpoint
from node.month import Month
from node.store.engine import Store
from node.store.sqlite import PRAGMAS

Row: TypeAlias = tuple[int, int, int, bytes | None]
"""(member, thing, op, request)."""

POSTGRES_WRITERS: Final = 4

ROWS_A_STATEMENT: Final = 1024
"""For SQLite; a larger group takes several statements in one transaction."""
_SETTINGS: Final = {"default_transaction_isolation": "read committed"}
"""The fence looks again after it has waited, which a snapshot of before would not show."""
_WRITE: Final = "SELECT write_clicks($1, $2, $3, $4, $5, $6)"


class ClickWriter(Protocol):
    """One per database, since their drivers are what differs."""

    async def commit(self, rows: Sequence[Row]) -> Month:
        """Make the clicks durable; the month that they are in. Raises whatever the driver does."""
        ...


@asynccontextmanager
async def open_click_writers(store: Store, clock: Clock) -> AsyncIterator[list[ClickWriter]]:
    """The writers for this database: one for SQLite, POSTGRES_WRITERS for Postgres."""
    async with AsyncExitStack() as stack:
        if store.dialect.name == "postgresql":
            url = store.url.replace("+asyncpg", "")
            writers = [_PostgresWriter(url, clock) for _ in range(POSTGRES_WRITERS)]
            for writer in writers:
                stack.push_async_callback(writer.close)
            yield [*writers]
            return
        thread = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="clicks"))
        loop = asyncio.get_running_loop()
        connection = await loop.run_in_executor(thread, _connect, store.path)
        try:
            yield [_SqliteWriter(connection, clock, thread)]
        finally:
            await loop.run_in_executor(thread, connection.close)


@dataclass(frozen=True, slots=True)
class _SqliteWriter:
    connection: sqlite3.Connection
    clock: Clock
    thread: ThreadPoolExecutor

    async def commit(self, rows: Sequence[Row]) -> Month:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.thread, self._commit, rows)

    def _commit(self, rows: Sequence[Row]) -> Month:
        at_us = self.clock.now_us()
        month = Month.at(at_us // 1_000_000)
        failpoint("click.before_commit")
        while not self._write(month, at_us, rows):  # it is frozen
            month = month.plus(1)
        failpoint("click.after_commit")
        return month

    def _write(self, month: Month, at_us: int, rows: Sequence[Row]) -> bool:
        """Whether the month took the clicks."""
        if len(rows) <= ROWS_A_STATEMENT:
            return self._insert(month, at_us, rows)
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            firsts = range(0, len(rows), ROWS_A_STATEMENT)
            some = (rows[first : first + ROWS_A_STATEMENT] for first in firsts)
            took = all(self._insert(month, at_us, chunk) for chunk in some)
            self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise
        return took

    def _insert(self, month: Month, at_us: int, rows: Sequence[Row]) -> bool:
        places = 1 << (len(rows) - 1).bit_length()  # so that few texts are prepared, and kept
        empty = [None] * (4 * (places - len(rows)))
        values = [month.ordinal, at_us, *chain.from_iterable(rows), *empty]
        return self.connection.execute(_insertion(places), values).rowcount > 0


class _PostgresWriter:
    """Connects when it first writes, and anew after each failure: the server may be back."""

    def __init__(self, url: str, clock: Clock) -> None:
        self._url = url
        self._clock = clock
        self._connection: asyncpg.Connection | None = None

    async def commit(self, rows: Sequence[Row]) -> Month:
        if self._connection is None:
            self._connection = await asyncpg.connect(self._url, server_settings=_SETTINGS)
        failpoint("click.before_commit")
        try:
            landed = await self._write(self._connection, rows)
        except Exception:
            self._connection.terminate()
            self._connection = None
            raise
        failpoint("click.after_commit")
        return Month.from_ordinal(landed)

    async def _write(self, connection: asyncpg.Connection, rows: Sequence[Row]) -> int:
        at_us = self._clock.now_us()
        first = Month.at(at_us // 1_000_000).ordinal
        columns = map(list, zip(*rows, strict=True))
        return int(await connection.fetchval(_WRITE, first, at_us, *columns))

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()


@cache
def _insertion(places: int) -> str:
    """Clicks into a month, all or, when it is frozen, none; places without a member are empty."""
    return (
        "INSERT INTO flattr_inbox (month, at_us, member, thing, op, request)"
        " SELECT ?1, ?2, column1, column2, column3, column4"
        f" FROM (VALUES {', '.join(['(?, ?, ?, ?)'] * places)}) WHERE column1 IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM close WHERE month = ?1)"
    )


def _connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    for pragma in PRAGMAS:
        connection.execute(pragma)
    return connection
