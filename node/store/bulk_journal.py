"""Entries with very many transfers, written as sets (see `ledger/bulk.py`).

Accounts are looked up a kind at a time and matched by member in numpy; those that are missing are
made by one statement. Postings go in by thousands. The chain row and its digest are the same as if
each transfer had been written alone.
"""

from __future__ import annotations

import asyncio
from itertools import compress
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from node.ledger.accounts import Account, Kind
from node.ledger.bulk import BulkEntry, Column, MemberAccounts, PayoutAccounts
from node.money import Asset
from node.store import journal
from node.store.engine import Tx

Units: TypeAlias = NDArray[np.int64]


async def append(tx: Tx, entry: BulkEntry, at_us: int) -> bool:
    """Write the entry; False if it is there already, or moves nothing.

    Raises InsufficientFunds, CorruptBooks as `journal.append` does.
    """
    if not entry.blocks:
        return False
    # The digest is Python's work, and finding the accounts the database's: side by side.
    digest, accounts = await asyncio.gather(asyncio.to_thread(entry.digest), _accounts(tx, entry))
    number = await journal.begin(tx, entry.header(), digest, at_us)
    if number is None:
        return False
    line = 0
    for block, (debit, credit) in zip(entry.blocks, accounts, strict=True):
        lines = np.arange(line, line + len(debit))
        rows = {"line": lines, "debit": debit, "credit": credit, "units": block.units}
        await tx.insert("posting", {"entry": number}, rows)
        line += len(debit)
    return True


async def _accounts(tx: Tx, entry: BulkEntry) -> list[tuple[Units, Units]]:
    """The account numbers of each block's two columns."""
    return [
        (
            await _numbers(tx, entry.asset, block.debit, len(block.units)),
            await _numbers(tx, entry.asset, block.credit, len(block.units)),
        )
        for block in entry.blocks
    ]


async def _numbers(tx: Tx, asset: Asset, column: Column, length: int) -> Units:
    """The account numbers of a column, row by row."""
    match column:
        case Account():
            number = (await journal.account_ids(tx, [column]))[column]
            return np.full(length, number, np.int64)
        case MemberAccounts() | PayoutAccounts():
            return await _of_members(tx, asset, column)


async def _of_members(tx: Tx, asset: Asset, column: MemberAccounts | PayoutAccounts) -> Units:
    members, numbers = await _known(tx, asset, column)
    missing = ~np.isin(column.members, members)
    if missing.any():
        await _make(tx, asset, column, missing)
        members, numbers = await _known(tx, asset, column)
    return numbers[np.searchsorted(members, column.members)]


async def _known(
    tx: Tx, asset: Asset, column: MemberAccounts | PayoutAccounts
) -> tuple[Units, Units]:
    """(members in order, their account numbers) of all accounts of this kind and month."""
    month = "month IS NULL" if column.month is None else "month = :month"
    values = {} if column.month is None else {"month": column.month.ordinal}
    members, numbers = await tx.numbers(
        f"SELECT member AS c0, id AS c1 FROM account WHERE kind = :kind AND {month}"
        " AND asset = :asset AND member IS NOT NULL", 2,
        kind=_kind(column), asset=asset, **values,
    )  # fmt: skip
    order = np.argsort(members)
    return members[order], numbers[order]


async def _make(
    tx: Tx, asset: Asset, column: MemberAccounts | PayoutAccounts, missing: NDArray[np.bool_]
) -> None:
    month = None if column.month is None else column.month.ordinal
    fixed = {"asset": asset, "kind": _kind(column), "month": month, "side": -1}
    names = list(compress(column.names(), missing.tolist()))
    await tx.insert("account", fixed, {"name": names, "member": column.members[missing]})


def _kind(column: MemberAccounts | PayoutAccounts) -> Kind:
    return column.kind if isinstance(column, MemberAccounts) else Kind.PAYOUT
