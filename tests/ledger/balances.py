"""Balances in a dict, by the sides of the accounts, and the two laws of `node/ledger/accounts.py`.

The least that the books are: what the database does with triggers, in ten lines.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from node.ledger.accounts import Kind
from node.ledger.bulk import BulkEntry
from node.ledger.entry import Entry


class Balances:
    """Base units by account name."""

    def __init__(self) -> None:
        self.units: defaultdict[str, int] = defaultdict(int)

    def book(self, entry: Entry | BulkEntry) -> None:
        """Move the balances, and demand both laws and that nothing is negative."""
        for debit, credit, units in rows_of(entry):
            self._move(debit, units)
            self._move(credit, -units)
        assert min(self.units.values(), default=0) >= 0, self.units
        self.demand_laws()

    def demand_laws(self) -> None:
        """What the wallet holds is owed; what was spent was the operator's."""
        kinds: defaultdict[Kind, int] = defaultdict(int)
        for name, units in self.units.items():
            kinds[kind_of(name)] += units
        own = {Kind.EXPENSE, Kind.SUSPENSE, Kind.CAPITAL}
        owed = sum(units for kind, units in kinds.items() if kind not in {Kind.WALLET, *own})
        assert kinds[Kind.WALLET] == owed
        assert kinds[Kind.EXPENSE] + kinds[Kind.SUSPENSE] == kinds[Kind.CAPITAL]

    def _move(self, name: str, units: int) -> None:
        self.units[name] += units if kind_of(name).debit_side else -units


def rows_of(entry: Entry | BulkEntry) -> Iterable[tuple[str, str, int]]:
    """(debit, credit, units) of every transfer, in order."""
    if isinstance(entry, Entry):
        return [(t.debit.name, t.credit.name, t.units) for t in entry.transfers]
    return [row for block in entry.blocks for row in block.rows()]


def kind_of(name: str) -> Kind:
    """The kind that an account's name begins with."""
    return Kind(name.partition(":")[0])
