"""All tables as rows, out of one database and into another of either kind.

    out    table by table, parents first; rows by primary key, thousands at a time
    in     the same; but balances are not copied: the postings are posted again, and move them

So a restored balance is the sum of its postings by construction, and what the rows said of it is
compared afterwards. Sessions, links and challenges stay behind: after a restore everybody signs in
again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import Boolean, LargeBinary, Table
from sqlmodel import SQLModel

import node.store.chain_tables
import node.store.consent_tables
import node.store.login_tables
import node.store.money_tables
import node.store.operator_tables
import node.store.recovery_tables
import node.store.site_tables
import node.store.tables
import node.store.transaction_tables
import node.store.vault_tables  # noqa: F401  declares the tables
from node.store.engine import Tx

Value: TypeAlias = str | int | bytes | None
ColumnKind: TypeAlias = Literal["", "bool", "bytes"]

ROWS_AT_ONCE: Final = 5_000
LEFT_OUT: Final = frozenset(
    {
        "link_challenge", "operator_challenge", "operator_link", "operator_session", "lease",
        "seen_event", "session", "sign_in_challenge", "sign_in_proof", "quarantine",
    }
)  # fmt: skip
"""Ways in that somebody may have ended since, and what is only true while a process runs."""


@dataclass(frozen=True, slots=True)
class TableShape:
    """A table's name and columns, and what of their values JSON has no word for."""

    name: str
    columns: tuple[str, ...]
    kinds: tuple[ColumnKind, ...]


def shapes() -> list[TableShape]:
    """The tables that are dumped, each after those that it refers to."""
    tables = SQLModel.metadata.sorted_tables
    return [_shape(table) for table in tables if table.name not in LEFT_OUT]


async def pages(tx: Tx, shape: TableShape) -> AsyncIterator[Sequence[Sequence[Any]]]:
    """A table's rows, page by page, in the order of its primary key."""
    table = SQLModel.metadata.tables[shape.name]
    keys = [column.name for column in table.primary_key.columns]
    places = [shape.columns.index(name) for name in keys]
    order, columns = ", ".join(keys), ", ".join(shape.columns)
    after: Mapping[str, object] = {}
    while True:
        names = ", ".join(f":k{index}" for index in range(len(keys)))
        where = f" WHERE ({order}) > ({names})" if after else ""
        sql = f"SELECT {columns} FROM {shape.name}{where} ORDER BY {order} LIMIT {ROWS_AT_ONCE}"
        rows = await tx.plain_rows(sql, **after)
        if rows:
            yield rows
        if len(rows) < ROWS_AT_ONCE:
            return
        after = {f"k{index}": rows[-1][place] for index, place in enumerate(places)}


async def insert(tx: Tx, shape: TableShape, rows: Sequence[Sequence[Any]]) -> None:
    """Write rows into a database that has none of them. Accounts begin empty."""
    names = [f"c{index}" for index in range(len(shape.columns))]
    values = ", ".join(f":{name}" for name in names)
    sql = f"INSERT INTO {shape.name} ({', '.join(shape.columns)}) VALUES ({values})"
    given = [dict(zip(names, row, strict=True)) for row in rows]
    if shape.name == "account":
        balance = f"c{shape.columns.index('balance')}"
        given = [{**row, balance: 0} for row in given]
    await tx.run_each(sql, given)


async def finish(tx: Tx) -> None:
    """Let the database go on numbering where the rows end."""
    for table in SQLModel.metadata.sorted_tables:
        column = table.autoincrement_column
        if column is not None and (sql := tx.dialect.number_on(table.name, column.name)):
            await tx.value(sql)


async def is_empty(tx: Tx) -> bool:
    """Whether no table has a row."""
    for shape in shapes():
        if await tx.value(f"SELECT 1 FROM {shape.name} LIMIT 1") is not None:
            return False
    return True


async def schema(tx: Tx) -> str:
    """The migration that the tables are at."""
    return str(await tx.value("SELECT version_num FROM alembic_version"))


async def balances(tx: Tx) -> dict[int, int]:
    """Every account's balance, by number."""
    return {row[0]: row[1] for row in await tx.plain_rows("SELECT id, balance FROM account")}


async def heads(tx: Tx) -> dict[str, tuple[int, str]]:
    """How many entries the chain of each asset has, and the last one's hash."""
    rows = await tx.plain_rows("SELECT asset, seq, head FROM chain ORDER BY asset")
    return {str(asset): (int(seq), str(head)) for asset, seq, head in rows}


def _shape(table: Table) -> TableShape:
    columns = list(table.columns)
    return TableShape(
        str(table.name), tuple(str(c.name) for c in columns), tuple(_kind(c.type) for c in columns)
    )


def _kind(of: object) -> ColumnKind:
    match of:
        case Boolean():
            return "bool"
        case LargeBinary():
            return "bytes"
        case _:
            return ""
