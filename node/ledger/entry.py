"""An entry: one event, as transfers between accounts.

A transfer debits one account and credits another with the same amount, so an entry sums to zero by
its shape and not by a check. Entries are appended, never changed; a mistake gets a reversing entry.
They form one hash chain per asset: each holds the hash of the one before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Final

from node.errors import MoneyError
from node.ids import EntryId
from node.ledger.accounts import Account
from node.money import UNITS_MAX, Amount, Asset
from node.month import Month

GENESIS: Final = "0" * 64
"""The hash before the first entry of a chain."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """`units` base units from one account's books to another's; more than nothing."""

    debit: Account
    credit: Account
    units: int

    def __post_init__(self) -> None:
        if not 0 < self.units <= UNITS_MAX:
            raise MoneyError(f"a transfer moves 1 to {UNITS_MAX} base units, not {self.units}")
        if self.debit == self.credit or self.debit.asset is not self.credit.asset:
            raise MoneyError(f"no transfer from {self.debit.name} to {self.credit.name}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One event. `id` is a hash of what it records; `ref` is a word for people (a payment hash)."""

    id: EntryId
    kind: str
    asset: Asset
    ref: str
    transfers: tuple[Transfer, ...]
    month: Month | None = None

    @property
    def total(self) -> Amount:
        """The sum of what its transfers move."""
        return Amount(sum(transfer.units for transfer in self.transfers), self.asset)


def transfers_digest(rows: Iterable[tuple[str, str, int]]) -> str:
    """The hash of an entry's transfers, given as (debit name, credit name, units), in order."""
    digest, left = hashlib.sha256(), iter(rows)
    while lines := [f"{debit}>{credit}={units}\n" for debit, credit, units in islice(left, 4096)]:
        digest.update("".join(lines).encode())
    return digest.hexdigest()


def chain_hash(before: str, seq: int, entry: Entry, at_us: int, digest: str) -> str:
    """The hash of an entry in its chain. `seq` counts the chain's entries from 1."""
    named = (entry.id, entry.kind, str(entry.asset), entry.ref, str(entry.month or ""))
    return link_hash(before, seq, named, at_us, digest)


def link_hash(
    before: str, seq: int, named: tuple[str, str, str, str, str], at_us: int, digest: str
) -> str:
    """`chain_hash` of an entry given as (id, kind, asset, ref, month): for very many."""
    parts = (before, str(seq), *named, str(at_us), digest)
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def transfer_digest(debit: str, credit: str, units: int) -> str:
    """`transfers_digest` of a single transfer: for very many entries that have one."""
    return hashlib.sha256(f"{debit}>{credit}={units}\n".encode()).hexdigest()
