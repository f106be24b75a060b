"""SQLite by its own driver: a statement is one errand to the connection's thread.

SQLAlchemy opens and pools the connections that read. A statement through it costs four errands
(make a cursor, execute, fetch, close), each a switch of threads: with the 38 statements of one
payout that came to 20 ms of processor time, two thirds of what lnd itself takes for a payment
(measured; see docs/performance.md). So `Tx` gives its statements to the driver, and the one
connection that writes (`group_commit.py`) is the driver's alone. A transaction that is said to be
short spares the switches too: its statements run where they are asked for.

What is wrong is raised as SQLAlchemy raises it, for the other database does the same.
"""

from __future__ import annotations

import sqlite3
from collections import namedtuple
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, Final, TypeAlias, cast

import aiosqlite
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, event
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from node.store.away import UNDONE

Column: TypeAlias = NDArray[np.int64] | list[str]
_Values: TypeAlias = Mapping[str, object] | Sequence[object]

INSERTED_VALUES: Final = 4000
"""Values in one INSERT, besides those that are the same in all rows: more only takes memory."""


def _pragmas(cache_kib: int) -> tuple[str, ...]:
    return (
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = FULL",
        "PRAGMA foreign_keys = ON",
        "PRAGMA busy_timeout = 10000",
        f"PRAGMA cache_size = -{cache_kib}",
        "PRAGMA journal_size_limit = 67108864",
        "PRAGMA wal_autocheckpoint = 4000",
    )


PRAGMAS: Final = _pragmas(49_152)
READERS_PRAGMAS: Final = _pragmas(8_192)
"""There are many readers, and the system keeps what they read too."""


def prepare(engine: AsyncEngine) -> None:
    """Have each connection set up as PRAGMAS say, and begin as the transaction needs it."""

    @event.listens_for(engine.sync_engine, "connect")
    def _on_connect(connection: Any, _: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        cursor = connection.cursor()
        for pragma in READERS_PRAGMAS:
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _on_begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("flattr_write", False)
        begin = "BEGIN IMMEDIATE" if writes else "BEGIN"
        adapted: Any = connection.connection.dbapi_connection
        with _told_as_sqlalchemy(begin):
            adapted.run_async(lambda driver: driver.execute(begin))


async def connect(path: str) -> aiosqlite.Connection:
    """A connection outside of the pool, set up as PRAGMAS say, that begins nothing by itself.

    Raises OperationalError.
    """
    connecting = aiosqlite.connect(path, isolation_level=None, check_same_thread=False)
    connecting._thread.daemon = True  # noqa: SLF001  as SQLAlchemy does: no exit waits for it
    with _told_as_sqlalchemy(f"connect to {path}"):
        connection = await connecting
        try:
            for pragma in PRAGMAS:
                await connection.execute_fetchall(pragma)
        except BaseException:
            await connection.close()
            raise
    return connection


class Driver:
    """The driver's side of one connection, which has begun a transaction."""

    __slots__ = ("_columns", "_connection")

    def __init__(
        self, connection: aiosqlite.Connection, columns: dict[str, tuple[str, ...]]
    ) -> None:
        self._connection = connection
        self._columns = columns
        """The columns of each statement that was asked before, for all connections."""

    def short(self) -> Driver:
        """The same transaction, for a few statements that touch a few rows by their keys."""
        return _Short(self._connection, self._columns)

    def demand_begun(self) -> None:
        """Raise OperationalError when the database has undone the transaction by itself.

        A full disk does that; what came after would be written at once, each statement alone.
        """
        if not self._connection.in_transaction:
            words = sqlite3.OperationalError(UNDONE)
            raise OperationalError("COMMIT", None, words)

    async def run(self, sql: str, values: _Values) -> int:
        """Run a statement; the number of rows it touched."""
        self.demand_begun()
        with _told_as_sqlalchemy(sql):
            return await self._change(sql, values)

    async def begin(self) -> None:
        """Begin to write, when no other connection does any more. Raises OperationalError."""
        with _told_as_sqlalchemy("BEGIN IMMEDIATE"):
            await self._connection.execute("BEGIN IMMEDIATE")

    async def commit(self) -> None:
        """Have it on the disk. Raises OperationalError: then nobody knows whether it is."""
        self.demand_begun()
        with _told_as_sqlalchemy("COMMIT"):
            await self._connection.commit()

    async def rollback(self) -> None:
        """Undo it. Raises OperationalError."""
        with _told_as_sqlalchemy("ROLLBACK"):
            await self._connection.rollback()

    async def close(self) -> None:
        """Close the connection, which undoes what it still holds."""
        await self._connection.close()

    async def run_each(self, sql: str, rows: Iterable[Mapping[str, object]]) -> None:
        """Run a statement once for each of `rows`."""
        await self._run_each(sql, rows)

    async def insert(
        self, table: str, fixed: Mapping[str, object], columns: Mapping[str, Column]
    ) -> None:
        """Insert rows: one errand, thousands of rows a statement."""
        length = len(next(iter(columns.values())))
        step = INSERTED_VALUES // len(columns)
        whole = length - length % step
        names, values = (*fixed, *columns), tuple(fixed.values())
        for first, end, rows in ((0, whole, step), (whole, length, length - whole)):
            if first < end:
                sql = _insertion(table, names, len(fixed), rows)
                await self._run_each(sql, _flat(values, columns, range(first, end, rows)))

    async def rows(self, sql: str, values: Mapping[str, object]) -> Sequence[Row[Any]]:
        """All rows of a query, to be read as SQLAlchemy's."""
        self.demand_begun()
        with _told_as_sqlalchemy(sql):
            columns, found = await self._ask(sql, values)
        return cast("Sequence[Row[Any]]", list(map(_row_type(columns)._make, found)))

    async def plain_rows(self, sql: str, values: Mapping[str, object]) -> Sequence[Any]:
        """All rows of a query, as tuples."""
        self.demand_begun()
        with _told_as_sqlalchemy(sql):
            return list(await self._connection.execute_fetchall(sql, cast("Any", values)))

    async def _change(self, sql: str, values: _Values) -> int:
        return (await self._connection.execute(sql, cast("Any", values))).rowcount

    async def _ask(self, sql: str, values: _Values) -> tuple[tuple[str, ...], Iterable[Any]]:
        if (columns := self._columns.get(sql)) is not None:
            return columns, await self._connection.execute_fetchall(sql, cast("Any", values))
        cursor = await self._connection.execute(sql, cast("Any", values))
        columns = self._columns[sql] = tuple(column[0] for column in cursor.description)
        return columns, await cursor.fetchall()

    async def _run_each(self, sql: str, rows: Iterable[Mapping[str, object] | list[Any]]) -> None:
        self.demand_begun()
        with _told_as_sqlalchemy(sql):
            await self._connection.executemany(sql, cast("Any", rows))


class _Short(Driver):
    """Runs its statements in this thread: the switch to the other takes longer than they do.

    Nothing else runs meanwhile, and no errand of this connection may be under way.
    """

    __slots__ = ()

    async def _change(self, sql: str, values: _Values) -> int:
        return _at_hand(self._connection).execute(sql, cast("Any", values)).rowcount

    async def _ask(self, sql: str, values: _Values) -> tuple[tuple[str, ...], Iterable[Any]]:
        cursor = _at_hand(self._connection).execute(sql, cast("Any", values))
        return tuple(column[0] for column in cursor.description), cursor.fetchall()


def _at_hand(connection: aiosqlite.Connection) -> sqlite3.Connection:
    """What aiosqlite's thread works on; `connect` opens it for any thread."""
    return connection._conn  # noqa: SLF001  it has no public name


async def driver_of(
    connection: AsyncConnection, columns: dict[str, tuple[str, ...]]
) -> Driver | None:
    """SQLite's driver under this connection; None if it is another database's."""
    if connection.dialect.name != "sqlite":
        return None
    raw = (await connection.get_raw_connection()).driver_connection
    assert isinstance(raw, aiosqlite.Connection), "it was opened for aiosqlite"
    return Driver(raw, columns)


@cache
def _insertion(table: str, names: tuple[str, ...], fixed: int, rows: int) -> str:
    """?1, ?2, … are the fixed values in each row; the rest is not numbered, or parsing is slow."""
    row = ", ".join([*(f"?{n}" for n in range(1, fixed + 1)), *"?" * (len(names) - fixed)])
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES {', '.join([f'({row})'] * rows)}"


def _flat(
    fixed: tuple[object, ...], columns: Mapping[str, Column], firsts: range
) -> Iterator[list[Any]]:
    """The values of one statement after another, made as they are taken."""
    for first in firsts:
        values: list[Any] = [None] * (firsts.step * len(columns))
        for place, column in enumerate(columns.values()):
            some = column[first : first + firsts.step]
            values[place :: len(columns)] = some if isinstance(some, list) else some.tolist()
        yield [*fixed, *values]


@cache
def _row_type(columns: tuple[str, ...]) -> Any:
    return namedtuple("Row", columns, rename=True)


@contextmanager
def _told_as_sqlalchemy(sql: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise _as_sqlalchemy(error, sql) from error


def _as_sqlalchemy(error: sqlite3.Error, sql: str) -> DBAPIError:
    match error:
        case sqlite3.IntegrityError():
            return IntegrityError(sql, None, error)
        case sqlite3.OperationalError():
            return OperationalError(sql, None, error)
        case _:
            return DBAPIError(sql, None, error)
