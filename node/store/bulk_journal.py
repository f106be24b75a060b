"""Entries with very many transfers, written as sets (see `ledger/bulk.py`).

Accounts are looked up a kind at a time and matched by member in numpy; those that are missing are
made by one statement. Postings go in by thousands. The chain row and its digest are the same as if
each transfer had been written alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from node.ids import PayoutId
from node.ledger.accounts import Account, Kind
from node.ledger.bulk import BulkEntry, Column, MemberAccounts, PayoutAccounts
from node.money import Asset
from node.store import journal
from node.store.engine import Tx

ROWS_A_STATEMENT: Final = 20_000

Units: TypeAlias = NDArray[np.int64]


async def append(tx: Tx, entry: BulkEntry, at_us: int) -> bool:
    """Write the entry; False if it is there already, or moves nothing.

    Raises InsufficientFunds, CorruptBooks as `journal.append` does.
    """
    if not entry.blocks:
        return False
    number = await journal.begin(tx, entry.header(), entry.digest(), at_us)
    if number is None:
        return False
    line = 0
    for block in entry.blocks:
        debit = await _numbers(tx, entry.asset, block.debit, len(block.units))
        credit = await _numbers(tx, entry.asset, block.credit, len(block.units))
        for first in range(0, len(block.units), ROWS_A_STATEMENT):
            rows = slice(first, first + ROWS_A_STATEMENT)
            triples = _triples(debit[rows], credit[rows], block.units[rows])
            await journal.post(tx, number, line + first, triples)
        line += len(block.units)
    return True


def _triples(debit: Units, credit: Units, units: Units) -> Iterator[tuple[int, int, int]]:
    return zip(debit.tolist(), credit.tolist(), units.tolist(), strict=True)


async def _numbers(tx: Tx, asset: Asset, column: Column, length: int) -> Units:
    """The account numbers of a column, row by row."""
    match column:
        case Account():
            number = (await journal.account_ids(tx, [column]))[column]
            return np.full(length, number, np.int64)
        case MemberAccounts():
            return await _of_members(tx, asset, column)
        case PayoutAccounts():
            return await _of_payouts(tx, asset, column.ids)


async def _of_members(tx: Tx, asset: Asset, column: MemberAccounts) -> Units:
    members, numbers = await _known(tx, asset, column)
    missing = np.setdiff1d(column.members, members)
    if len(missing):
        await _make(tx, asset, column, missing)
        members, numbers = await _known(tx, asset, column)
    return numbers[np.searchsorted(members, column.members)]


async def _known(tx: Tx, asset: Asset, column: MemberAccounts) -> tuple[Units, Units]:
    """(members in order, their account numbers) of all accounts of this kind and month."""
    month = "month IS NULL" if column.month is None else "month = :month"
    values = {} if column.month is None else {"month": column.month.ordinal}
    rows = await tx.rows(
        f"SELECT member, id FROM account WHERE kind = :kind AND {month} AND asset = :asset"
        " ORDER BY member",
        kind=column.kind, asset=asset, **values,
    )  # fmt: skip
    pairs: Units = np.array([tuple(row) for row in rows], np.int64).reshape(-1, 2)
    return pairs[:, 0].copy(), pairs[:, 1].copy()


async def _make(tx: Tx, asset: Asset, column: MemberAccounts, members: Units) -> None:
    some = MemberAccounts(column.kind, members, column.month)
    rows = list(zip(some.names(), members.tolist(), strict=True))
    for first in range(0, len(rows), ROWS_A_STATEMENT):
        await tx.run_rows(
            "INSERT INTO account (asset, kind, name, member, month, side)"
            " SELECT CAST(:asset AS text), CAST(:kind AS text), c0, c1, CAST(:month AS integer), -1"
            f" FROM {tx.dialect.json_rows(('text', 'bigint'))} WHERE true",
            rows[first : first + ROWS_A_STATEMENT],
            asset=asset, kind=column.kind, month=column.month.ordinal if column.month else None,
        )  # fmt: skip


async def _of_payouts(tx: Tx, asset: Asset, ids: Sequence[PayoutId]) -> Units:
    names = [(name,) for name in PayoutAccounts(ids).names()]
    found: dict[str, int] = {}
    for first in range(0, len(names), ROWS_A_STATEMENT):
        rows = names[first : first + ROWS_A_STATEMENT]
        source = tx.dialect.json_rows(("text",))
        await tx.run_rows(
            "INSERT INTO account (asset, kind, name, side)"
            f" SELECT CAST(:asset AS text), CAST(:kind AS text), c0, -1 FROM {source} WHERE true"
            " ON CONFLICT DO NOTHING",
            rows, asset=asset, kind=Kind.PAYOUT,
        )  # fmt: skip
        made = await tx.rows_of(
            f"SELECT name, id FROM account JOIN {source} ON asset = :asset AND name = c0",
            rows, asset=asset,
        )  # fmt: skip
        found.update((row.name, row.id) for row in made)
    return np.array([found[name] for (name,) in names], np.int64)
