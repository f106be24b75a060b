"""The database: opened, checked, migrated; and the transaction that every statement takes.

A write transaction is alone in SQLite; those that wait for each other share a commit
(`group_commit.py`). In Postgres it locks what it reads to change. A read
transaction sees one state from its first statement to its last.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cache
from itertools import repeat
from typing import Any, Final

import asyncpg
import msgspec
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Row, TextClause, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from node.errors import ConfigError, DatabaseAway, InsufficientFunds
from node.failpoints import failpoint
from node.store import sqlite
from node.store.away import told_as_away
from node.store.dialect import Dialect, driver_url
from node.store.group_commit import Writer
from node.store.migrations.upgrade import upgrade
from node.store.sqlite import Column, Driver, driver_of
from node.store.under_way import UnderWay

OLDEST: Final = (-1, "")
"""Before the first row of a list that is read oldest first: (created_us, id)."""
NEWEST: Final = (2**63 - 1, "")
"""The same, newest first."""
CONNECT_LIMIT_S: Final = 10
STATEMENT_LIMIT_S: Final = 600
"""No statement of the largest close takes a tenth of it; a dead network would take for ever."""
FINISH_LIMIT_S: Final = 5
_SQLITE_MIN: Final = (3, 38)


@dataclass(frozen=True, slots=True)
class Tx:
    """An open transaction. Statements take it first; only `flows/` opens and commits it."""

    dialect: Dialect
    driver: Driver | None
    """SQLite's, which its statements are given to."""
    sqlalchemy: AsyncConnection | None
    """SQLAlchemy's connection; None where SQLite writes."""
    writes: bool

    @property
    def connection(self) -> AsyncConnection:
        """SQLAlchemy's. A transaction that writes to SQLite has none."""
        assert self.sqlalchemy is not None, "what SQLite writes is given to its driver"
        return self.sqlalchemy

    @property
    def for_update(self) -> str:
        """Ends a SELECT whose rows this transaction may change."""
        return self.dialect.for_update if self.writes else ""

    async def run(self, sql: str, **values: object) -> int:
        """Run a statement; the number of rows it touched. Raises InsufficientFunds."""
        try:
            if self.driver is not None:
                return await self.driver.run(sql, values)
            return (await self.connection.execute(_clause(sql), values)).rowcount
        except IntegrityError as error:
            raise _explained(error) from error

    async def row(self, sql: str, **values: object) -> Row[Any] | None:
        """The first row, or None. For queries that have one, or few."""
        found = await self.rows(sql, **values)
        return found[0] if found else None

    async def rows(self, sql: str, **values: object) -> Sequence[Row[Any]]:
        """All rows. Raises InsufficientFunds, for a statement that changes and returns."""
        try:
            if self.driver is not None:
                return await self.driver.rows(sql, values)
            return (await self.connection.execute(_clause(sql), values)).all()
        except IntegrityError as error:
            raise _explained(error) from error

    async def value(self, sql: str, **values: object) -> Any:
        """The first column of the first row; None if there is no row."""
        found = await self.row(sql, **values)
        return None if found is None else found[0]

    async def plain_rows(self, sql: str, **values: object) -> Sequence[Sequence[Any]]:
        """All rows as tuples, for thousands of them: no names for each."""
        if self.driver is not None:
            return await self.driver.plain_rows(sql, values)
        found = (await self.connection.execute(_clause(sql), values)).all()
        return [tuple(row) for row in found]

    async def columns(self, sql: str, columns: int, **values: object) -> list[Sequence[Any]]:
        """A query's rows turned into columns, for thousands of them: no object for each row."""
        found = await self.plain_rows(sql, **values)
        return list(zip(*found, strict=True)) or [()] * columns

    async def numbers(self, sql: str, columns: int, **values: object) -> NDArray[np.int64]:
        """A query's columns c0, c1, … as an array of shape (columns, rows), in no order.

        Whole numbers only, no NULL. Each column comes as one text, which costs a tenth of a row
        object for each row; a close reads hundreds of thousands.
        """
        lists = ", ".join(self.dialect.listed(f"c{index}") for index in range(columns))
        texts = await self.row(f"SELECT {lists} FROM ({sql}) AS r", **values)
        assert texts is not None, "an aggregate has one row"
        return np.array([np.fromstring(text or "", np.int64, sep=",") for text in texts])

    async def run_rows(self, sql: str, rows: Iterable[Sequence[object]], **values: object) -> int:
        """Run a statement that reads `rows` by `dialect.json_rows`."""
        return await self.run(sql, rows=msgspec.json.encode(list(rows)).decode(), **values)

    async def rows_of(
        self, sql: str, rows: Iterable[Sequence[object]], **values: object
    ) -> Sequence[Row[Any]]:
        """All rows of a query that reads `rows` by `dialect.json_rows`."""
        return await self.rows(sql, rows=msgspec.json.encode(list(rows)).decode(), **values)

    async def insert(
        self, table: str, fixed: Mapping[str, object], columns: Mapping[str, Column]
    ) -> None:
        """Insert very many rows, none of which is there: the fastest way that the driver has.

        `fixed` is the same in all rows; `columns` are all of one length. Raises InsufficientFunds.
        """
        try:
            if self.driver is not None:
                await self.driver.insert(table, fixed, columns)
                return
            raw = (await self.connection.get_raw_connection()).driver_connection
            assert raw is not None, "the transaction holds it"
            same = [repeat(value) for value in fixed.values()]
            each = [c if isinstance(c, list) else c.tolist() for c in columns.values()]
            await raw.copy_records_to_table(
                table, columns=[*fixed, *columns], records=zip(*same, *each, strict=False)
            )
        except (IntegrityError, asyncpg.CheckViolationError) as error:
            raise _explained(error) from error

    async def run_each(self, sql: str, rows: Sequence[dict[str, object]]) -> None:
        """Run a statement once for each of `rows`: for bytes, which JSON can't carry."""
        if self.driver is not None:
            await self.driver.run_each(sql, rows)
        elif rows:
            await self.connection.execute(_clause(sql), rows)


def _explained(error: Exception) -> Exception:
    if "balance_not_negative" in str(error):
        return InsufficientFunds("the balance does not reach for that")
    return error


@cache
def _clause(sql: str) -> TextClause:
    return text(sql)


class Store:
    """One database. SQLite's writers share one connection and their commits."""

    def __init__(self, engine: AsyncEngine, url: str) -> None:
        self.url = url
        self.dialect = Dialect("sqlite" if engine.dialect.name == "sqlite" else "postgresql")
        self._engine = engine
        self._writing = engine.execution_options(flattr_write=True)
        self._reading = (
            engine
            if self.dialect.name == "sqlite"
            else engine.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        )
        self._columns: dict[str, tuple[str, ...]] = {}
        sqlite_ = self.dialect.name == "sqlite"
        self._writer = Writer(self.path, self._columns) if sqlite_ else None
        self._reads = UnderWay()

    @property
    def path(self) -> str:
        """SQLite's file."""
        return self._engine.url.database or ""

    async def finish(self) -> None:
        """Wait for commits and reads that are under way, and let nobody read any more."""
        if self._writer is not None:
            await self._writer.finish()
        await self._reads.end(FINISH_LIMIT_S)

    @asynccontextmanager
    async def write(self, step: str = "", *, short: bool = False) -> AsyncIterator[Tx]:
        """A transaction that commits when the block ends, and rolls back if it raises.

        `step` names it: it passes the failpoints `step.before_commit` and `step.after_commit`.
        `short`: a few statements that touch a few rows by their keys, and no wait between them; in
        SQLite they run in this thread. Raises DatabaseAway; when that met the commit, it may have
        been done.
        """
        with told_as_away():
            async with self._begin(short=short) as tx:
                yield tx
                if step:
                    failpoint(f"{step}.before_commit")
        if step:
            failpoint(f"{step}.after_commit")

    @asynccontextmanager
    async def _begin(self, *, short: bool) -> AsyncIterator[Tx]:
        if self._writer is not None:
            async with self._writer.write(short=short) as driver:
                yield Tx(self.dialect, driver, None, writes=True)
            return
        async with self._writing.begin() as connection:
            yield Tx(self.dialect, None, connection, writes=True)

    @asynccontextmanager
    async def change_schema(self) -> AsyncIterator[AsyncConnection]:
        """SQLAlchemy's own transaction, alone in the database, for what changes its tables."""
        with told_as_away():
            async with self._writing.begin() as connection:
                if alone := self.dialect.upgrade_alone:
                    await connection.execute(text(alone))
                yield connection

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Tx]:
        """A transaction that sees one state and changes nothing. Raises DatabaseAway."""
        with self._reads.one(), told_as_away():
            async with self._reading.begin() as connection:
                driver = await driver_of(connection, self._columns)
                yield Tx(self.dialect, driver, connection, writes=False)


@asynccontextmanager
async def open_store(url: str, revision: str | None = None) -> AsyncIterator[Store]:
    """Open the database at `url`, bring its tables up to date, and check that it is durable.

    `revision`: make new tables as they were then. Raises ConfigError when it can't be reached or
    would lose commits.
    """
    async with AsyncExitStack() as stack:
        try:
            engine = create_async_engine(
                driver_url(url), pool_size=8, max_overflow=8, **_manners(url)
            )
            stack.push_async_callback(engine.dispose)
            if engine.dialect.name == "sqlite":
                sqlite.prepare(engine)
            store = Store(engine, url)
            stack.push_async_callback(store.finish)
            await _check_durable(store)
            async with store.change_schema() as connection:
                await connection.run_sync(upgrade, revision)
        except (DBAPIError, OSError, DatabaseAway) as error:
            raise ConfigError(f"the database can't be opened: {error}") from error
        yield store


def _manners(url: str) -> dict[str, Any]:
    """For Postgres: how long it is waited for, and transactions as fences need them.

    The isolation is Postgres' own default, said so that no setting of a server changes it.
    """
    if url.startswith("sqlite"):
        return {}
    limits = {"timeout": CONNECT_LIMIT_S, "command_timeout": STATEMENT_LIMIT_S}
    return {"isolation_level": "READ COMMITTED", "connect_args": limits}


async def _check_durable(store: Store) -> None:
    """An acknowledged click must survive a power cut: refuse a database that is set otherwise."""
    async with store.read() as tx:
        if store.dialect.name == "sqlite":
            version = str(await tx.value("SELECT sqlite_version()"))
            if tuple(map(int, version.split(".")))[:2] < _SQLITE_MIN:
                raise ConfigError(f"SQLite {version} is too old: 3.38 or later is needed")
            found = (
                await tx.value("PRAGMA journal_mode"),
                await tx.value("PRAGMA synchronous"),
                await tx.value("PRAGMA foreign_keys"),
            )
            if found != ("wal", 2, 1):
                raise ConfigError(f"SQLite must run with WAL and synchronous=FULL, not {found}")
            return
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            if (value := await tx.value(f"SHOW {setting}")) == "off":
                raise ConfigError(f"Postgres has {setting}={value}: it would lose what it promised")
