"""Months on the vault: which of its months is which of ours, and how far it is.

    open ▶ collect (gross) ▶ plan (data_hash, with the batches as attempts) ▶ finish (paid_us)
                      └─────────── nothing was charged ──────────────────▶

Each step is written once, where the one before stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from node.errors import CorruptBooks
from node.month import Month
from node.store.engine import Tx


@dataclass(frozen=True, slots=True)
class VaultMonth:
    """One month on a vault. None: not so far yet."""

    month: Month
    chain_id: int
    vault: str
    number: int
    gross: int | None = None
    """Base units that the vault has charged, finally."""
    data_hash: str | None = None
    """Of the published file, in hex: the batches are fixed from then on."""
    paid_us: int | None = None


async def get(tx: Tx, month: Month) -> VaultMonth | None:
    """The vault's month for a calendar month; None when nothing of it is charged."""
    row = await tx.row(
        "SELECT * FROM vault_month WHERE month = :month" + tx.for_update, month=month.ordinal
    )
    return _month(row) if row else None


async def unfinished(tx: Tx, chain_id: int, vault: str) -> list[VaultMonth]:
    """Months of this vault that are not paid yet, oldest first."""
    rows = await tx.rows(
        "SELECT * FROM vault_month WHERE paid_us IS NULL AND chain_id = :chain_id"
        " AND vault = :vault ORDER BY month",
        chain_id=chain_id, vault=vault,
    )  # fmt: skip
    return [_month(row) for row in rows]


async def all_of(tx: Tx) -> list[VaultMonth]:
    """All months, oldest first."""
    return [_month(row) for row in await tx.rows("SELECT * FROM vault_month ORDER BY month")]


async def newest_number(tx: Tx, chain_id: int, vault: str) -> int:
    """The highest number that was given; 0 before the first."""
    found = await tx.value(
        "SELECT coalesce(max(number), 0) FROM vault_month"
        " WHERE chain_id = :chain_id AND vault = :vault",
        chain_id=chain_id, vault=vault,
    )  # fmt: skip
    return int(found)


async def add(tx: Tx, month: VaultMonth) -> None:
    """Give a month its number; one that has one keeps it."""
    await tx.run(
        "INSERT INTO vault_month (month, chain_id, vault, number)"
        " VALUES (:month, :chain_id, :vault, :number) ON CONFLICT (month) DO NOTHING",
        month=month.month.ordinal, chain_id=month.chain_id, vault=month.vault,
        number=month.number,
    )  # fmt: skip


async def collect(tx: Tx, month: Month, gross: int) -> None:
    """What was charged. Raises CorruptBooks when that is known already."""
    await _once(
        tx, "UPDATE vault_month SET gross = :gross WHERE month = :month AND gross IS NULL", month,
        gross=gross,
    )  # fmt: skip


async def plan(tx: Tx, month: Month, data_hash: str) -> None:
    """What is sealed. Raises CorruptBooks when that is fixed already."""
    await _once(
        tx, "UPDATE vault_month SET data_hash = :data_hash WHERE month = :month"
        " AND gross IS NOT NULL AND data_hash IS NULL", month, data_hash=data_hash,
    )  # fmt: skip


async def finish(tx: Tx, month: Month, now_us: int) -> None:
    """All is paid. Raises CorruptBooks when it was before."""
    await _once(
        tx, "UPDATE vault_month SET paid_us = :now_us WHERE month = :month"
        " AND (data_hash IS NOT NULL OR gross = 0) AND paid_us IS NULL", month, now_us=now_us,
    )  # fmt: skip


async def _once(tx: Tx, sql: str, month: Month, **values: object) -> None:
    if await tx.run(sql, month=month.ordinal, **values) != 1:
        raise CorruptBooks(f"the vault's month for {month} is no longer where it was")


def _month(row: Row[Any]) -> VaultMonth:
    return VaultMonth(
        Month.from_ordinal(row.month), row.chain_id, row.vault, row.number, row.gross,
        row.data_hash, row.paid_us,
    )  # fmt: skip
