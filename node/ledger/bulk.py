"""Entries with very many transfers, as columns: a close moves every pot of the month at once.

The same event as an `Entry` and the same digest, without an object for each transfer. A column of
accounts is one account for all rows, one per member, or one per payout.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from node.errors import MoneyError
from node.ids import EntryId, PayoutId
from node.ledger import accounts
from node.ledger.accounts import Account, Kind
from node.ledger.entry import Entry, transfers_digest
from node.money import Asset
from node.month import Month

Units: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class MemberAccounts:
    """The accounts `<kind>:<member>` (or `pot:<member>:<month>`) of these members, in order."""

    kind: Kind
    members: Units
    month: Month | None = None

    def names(self) -> Iterator[str]:
        """Their names, in order."""
        start, end = f"{self.kind}:", f":{self.month}" if self.month else ""
        return (f"{start}{member}{end}" for member in self.members.tolist())


@dataclass(frozen=True, slots=True)
class PayoutAccounts:
    """The accounts of the payouts that a month's close opens for these members, in order."""

    ids: Sequence[PayoutId]
    members: Units
    month: Month

    def names(self) -> Iterator[str]:
        """Their names, in order."""
        start = f"{Kind.PAYOUT}:"
        return (start + payout for payout in self.ids)


Column: TypeAlias = Account | MemberAccounts | PayoutAccounts


@dataclass(frozen=True, slots=True)
class Transfers:
    """Row by row: debit, credit, base units. Raises MoneyError for a row that moves nothing."""

    debit: Column
    credit: Column
    units: Units

    def __post_init__(self) -> None:
        if len(self.units) and int(self.units.min()) <= 0:
            raise MoneyError("a transfer moves at least one base unit")

    def rows(self) -> Iterator[tuple[str, str, int]]:
        """(debit name, credit name, units), in order."""
        return zip(_names(self.debit), _names(self.credit), self.units.tolist(), strict=False)


@dataclass(frozen=True, slots=True)
class BulkEntry:
    """One event with many transfers. Blocks without rows are left out."""

    id: EntryId
    kind: str
    asset: Asset
    month: Month
    blocks: tuple[Transfers, ...]

    def header(self) -> Entry:
        """The entry's own row, without its transfers."""
        return Entry(self.id, self.kind, self.asset, str(self.month), (), self.month)

    def digest(self) -> str:
        """The hash of its transfers, as `Entry` counts it."""
        return transfers_digest(chain.from_iterable(block.rows() for block in self.blocks))


def where_any(
    debit: Account | MemberAccounts, credit: Account | MemberAccounts, units: Units
) -> Transfers:
    """Transfers of the rows that move something; per-member columns are filtered alike."""
    some = units > 0
    return Transfers(_only(debit, some), _only(credit, some), units[some])


def pots(members: Units, month: Month) -> MemberAccounts:
    """The pots of these members for one month."""
    return MemberAccounts(Kind.POT, members, month)


def closing(asset: Asset, month: Month) -> Account:
    """The account that a close passes through."""
    return accounts.closing(asset, month)


def _names(column: Column) -> Iterator[str]:
    return repeat(column.name) if isinstance(column, Account) else column.names()


def _only(column: Account | MemberAccounts, some: NDArray[np.bool_]) -> Account | MemberAccounts:
    if isinstance(column, Account):
        return column
    return MemberAccounts(column.kind, column.members[some], column.month)
