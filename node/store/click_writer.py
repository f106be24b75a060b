"""Writing clicks: one transaction for a whole group, on a connection of its own.

The month of a click is decided here, by the clock at the moment of writing, under the fence that a
freeze needs alone: so an acknowledged click is in the month that it was told, and a frozen month
gets no more. A group is one row (`inbox.py`) and one statement that is its own transaction: SQLite
is written by its own driver in one thread, which after each further step would wait until the event
loop lets it go on; Postgres does all of it in a function of ours (`dialect.functions`), and a few
groups are under way at once, whose commits it writes together. (The ORM's way costs thirty times as
much in either; see docs/performance.md.)
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final, Protocol

import asyncpg

from node.clock import Clock
from node.failpoints import failpoint
from node.month import Month
from node.store.engine import Store
from node.store.inbox import ClickRow, pack_group
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

    async def commit(self, clicks: Sequence[ClickRow]) -> Month:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.thread, self._commit, clicks)

    def _commit(self, clicks: Sequence[ClickRow]) -> Month:
        at_us = self.clock.now_us()
        month = Month.at(at_us // 1_000_000)
        packed = pack_group(clicks)
        failpoint("click.before_commit")
        while not self.connection.execute(_INSERT, (month.ordinal, at_us, *packed)).rowcount:
            month = month.plus(1)  # it is frozen
        failpoint("click.after_commit")
        return month


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
