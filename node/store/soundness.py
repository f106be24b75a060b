"""Whether the database itself is sound: its file, its references, and the guards of the money.

A disk can lose what no statement has changed, and a hand can drop a trigger or an index that keeps
money from being paid twice. Both are looked for here; the laws of the books are in `checks.py`.
"""

from __future__ import annotations

import re
from typing import Final

from sqlmodel import SQLModel

import node.store.money_tables
import node.store.operator_tables  # noqa: F401  declares the tables
from node.store.dialect import log_triggers, triggers
from node.store.engine import Tx

SHOWN: Final = 5
_TRIGGER: Final = re.compile(r"CREATE TRIGGER (\w+)")


async def unsound(tx: Tx) -> list[str]:
    """What is wrong, in words; an empty list when nothing is."""
    return [*await _damage(tx), *await _missing_guards(tx)]


async def guards(tx: Tx) -> int:
    """How many triggers and indexes there should be."""
    return len(_wanted(tx))


async def _damage(tx: Tx) -> list[str]:
    """What the database finds when it reads its own file."""
    found = []
    for query in tx.dialect.own_checks:
        rows = [row for row in await tx.plain_rows(query) if tuple(row) != ("ok",)]
        found += [" ".join(map(str, row)) for row in rows[:SHOWN]]
    return found


async def _missing_guards(tx: Tx) -> list[str]:
    there = {row[0] for row in await tx.plain_rows(tx.dialect.guards_there)}
    return [f"{name} is not there" for name in sorted(_wanted(tx) - there)]


def _wanted(tx: Tx) -> set[str]:
    made = [*triggers(tx.dialect.name), *log_triggers(tx.dialect.name)]
    names = {found[1] for statement in made if (found := _TRIGGER.search(statement))}
    indexes = [index for table in SQLModel.metadata.tables.values() for index in table.indexes]
    return names | {str(index.name) for index in indexes}
