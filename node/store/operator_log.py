"""The log of what the operator did: appended to a chain of hashes, never changed.

Each row's hash covers the row and the hash before it, so that a row can't be altered or taken out
without every later one. `operator_log_head` is the end of the chain: what was cut off there shows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row

from node.store.engine import Tx

GENESIS: Final = "0" * 64
"""What comes before the first row."""
NEWEST: Final = 2**31 - 1
"""Greater than every row's number, which has 32 bits."""


@dataclass(frozen=True, slots=True)
class Act:
    """What was done: `act` in one word or two, to `subject`, and what else there is to say."""

    actor: str
    act: str
    subject: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Logged:
    """An act in its place in the log."""

    number: int
    at_us: int
    act: Act
    before: str
    hash: str


async def append(tx: Tx, act: Act, at_us: int) -> Logged:
    """Write an act at the end of the chain, in the transaction that does it."""
    await tx.run(
        "INSERT INTO operator_log_head (id, number, hash) VALUES (1, 0, :genesis)"
        " ON CONFLICT DO NOTHING",
        genesis=GENESIS,
    )
    head = await tx.row("SELECT number, hash FROM operator_log_head" + tx.for_update)
    assert head is not None, "it was made above"
    number = head.number + 1
    logged = Logged(number, at_us, act, head.hash, _hash(head.hash, number, at_us, act))
    await tx.run(
        "INSERT INTO operator_log (number, at_us, actor, act, subject, words, before, hash)"
        " VALUES (:number, :at_us, :actor, :act, :subject, :words, :before, :hash)",
        number=number, at_us=at_us, actor=act.actor, act=act.act, subject=act.subject,
        words=act.words, before=head.hash, hash=logged.hash,
    )  # fmt: skip
    await tx.run(
        "UPDATE operator_log_head SET number = :number, hash = :hash",
        number=number, hash=logged.hash,
    )  # fmt: skip
    return logged


async def newest(tx: Tx, before_number: int, limit: int) -> list[Logged]:
    """Rows with a smaller number than this, newest first."""
    rows = await tx.rows(
        "SELECT * FROM operator_log WHERE number < :before ORDER BY number DESC LIMIT :limit",
        before=before_number, limit=limit,
    )  # fmt: skip
    return [_logged(row) for row in rows]


async def everything(tx: Tx) -> list[Logged]:
    """All rows in order, for the audit."""
    return [_logged(row) for row in await tx.rows("SELECT * FROM operator_log ORDER BY number")]


async def head(tx: Tx) -> tuple[int, str]:
    """(the last row's number, its hash); (0, GENESIS) while nothing was done."""
    row = await tx.row("SELECT number, hash FROM operator_log_head")
    return (row.number, row.hash) if row else (0, GENESIS)


def broken(rows: Iterable[Logged], end: tuple[int, str]) -> str | None:
    """Where a chain does not fit together, in words; None when it is whole."""
    number, before = 0, GENESIS
    for row in rows:
        number += 1
        hashed = _hash(before, row.number, row.at_us, row.act)
        if (row.number, row.before, row.hash) != (number, before, hashed):
            return f"row {number} is not what was written"
        before = row.hash
    if (number, before) != end:
        return f"it ends at row {number}, and should at {end[0]}"
    return None


def _hash(before: str, number: int, at_us: int, act: Act) -> str:
    digest = hashlib.sha256()
    for part in (before, number, at_us, act.actor, act.act, act.subject, act.words):
        encoded = str(part).encode()
        digest.update(len(encoded).to_bytes(4, "big") + encoded)
    return digest.hexdigest()


def _logged(row: Row[Any]) -> Logged:
    act = Act(row.actor, row.act, row.subject, row.words)
    return Logged(row.number, row.at_us, act, row.before, row.hash)
