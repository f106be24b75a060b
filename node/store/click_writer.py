"""Writing clicks: one transaction for a whole group, on a connection of its own.

The month of a click is decided here, by the clock at the moment of writing, under the fence that a
freeze needs alone: so an acknowledged click is in the month that it was told, and a frozen month
gets no more. SQLite is written by its own driver in one thread; Postgres by COPY (both measured:
the ORM's way costs forty times as much).
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import asyncpg

from node.clock import Clock
from node.failpoints import failpoint
from node.month import Month
from node.store.engine import Store
from node.store.flattrs import CLICK_COLUMNS, INSERT_CLICK
from node.store.sqlite import PRAGMAS

Row: TypeAlias = tuple[int, int, int, bytes | None]
"""(member, thing, op, request)."""

_FROZEN = "SELECT 1 FROM close WHERE month = {} LIMIT 1"


class ClickWriter(Protocol):
    """One per database, since their drivers are what differs."""

    async def commit(self, rows: Sequence[Row]) -> Month:
        """Make the clicks durable; the month that they are in. Raises whatever the driver does."""
        ...


@asynccontextmanager
async def open_click_writer(store: Store, clock: Clock) -> AsyncIterator[ClickWriter]:
    """The writer for this database."""
    if store.dialect.name == "postgresql":
        connection = await asyncpg.connect(store.url.replace("+asyncpg", ""))
        try:
            yield _PostgresWriter(connection, clock)
        finally:
            await connection.close()
        return
    with ThreadPoolExecutor(1, thread_name_prefix="clicks") as thread:
        loop = asyncio.get_running_loop()
        connection = await loop.run_in_executor(thread, _connect, store.path)
        try:
            yield _SqliteWriter(connection, clock, thread)
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
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            at_us = self.clock.now_us()
            month = Month.at(at_us // 1_000_000)
            while self.connection.execute(_FROZEN.format("?"), (month.ordinal,)).fetchone():
                month = month.plus(1)
            number = month.ordinal
            self.connection.executemany(
                INSERT_CLICK,
                [
                    (number, member, thing, op, at_us, request)
                    for member, thing, op, request in rows
                ],
            )
            failpoint("click.before_commit")
            self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise
        failpoint("click.after_commit")
        return month


@dataclass(frozen=True, slots=True)
class _PostgresWriter:
    connection: asyncpg.Connection
    clock: Clock

    async def commit(self, rows: Sequence[Row]) -> Month:
        async with self.connection.transaction():
            at_us = self.clock.now_us()
            month = await self._fenced(Month.at(at_us // 1_000_000))
            number = month.ordinal
            await self.connection.copy_records_to_table(
                "flattr_inbox",
                columns=CLICK_COLUMNS,
                records=[
                    (number, member, thing, op, at_us, request)
                    for member, thing, op, request in rows
                ],
            )
            failpoint("click.before_commit")
        failpoint("click.after_commit")
        return month

    async def _fenced(self, month: Month) -> Month:
        """The first month from this one on that is not frozen, fenced until the commit."""
        while True:
            await self.connection.execute(
                "SELECT pg_advisory_xact_lock_shared(1717, $1)", month.ordinal
            )
            if await self.connection.fetchval(_FROZEN.format("$1"), month.ordinal) is None:
                return month
            month = month.plus(1)


def _connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    for pragma in PRAGMAS:
        connection.execute(pragma)
    return connection
