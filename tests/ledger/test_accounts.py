"""Accounts: their names are in every node's books, and their sides decide what grows."""

from __future__ import annotations

import pytest

from node.ids import MemberId, PayoutId
from node.ledger import accounts
from node.ledger.accounts import Account, Kind
from node.money import Asset
from node.month import Month

MEMBER, MONTH, SAT = MemberId(7), Month(2026, 11), Asset.SAT

NAMED = [
    (accounts.wallet(SAT), "wallet:lightning"),
    (accounts.wallet(Asset.USD), "wallet:stablecoin"),
    (accounts.expense(SAT, "routing"), "expense:routing"),
    (accounts.suspense(SAT), "suspense"),
    (accounts.available(SAT, MEMBER), "available:7"),
    (accounts.pot(SAT, MEMBER, MONTH), "pot:7:2026-11"),
    (accounts.closing(SAT, MONTH), "closing:2026-11"),
    (accounts.earned(SAT, MEMBER), "earned:7"),
    (accounts.held(SAT, MEMBER), "held:7"),
    (accounts.payout(SAT, PayoutId("ab")), "payout:ab"),
    (accounts.commission(SAT), "commission"),
    (accounts.capital(SAT), "capital"),
]


@pytest.mark.parametrize(("account", "name"), NAMED)
def test_an_account_keeps_its_name_for_ever(account: Account, name: str):
    assert account.name == name
    assert account.name.partition(":")[0] == account.kind


def test_every_kind_has_an_account():
    assert {account.kind for account, _ in NAMED} == set(Kind)


def test_what_the_node_has_or_spent_grows_by_a_debit_and_all_else_is_owed():
    debit = {kind for kind in Kind if kind.debit_side}
    assert debit == {Kind.WALLET, Kind.EXPENSE, Kind.SUSPENSE}


def test_the_docstring_lists_every_kind_on_its_side():
    for kind in Kind:
        rows = [line for line in (accounts.__doc__ or "").splitlines()
                if line.startswith((f"| {kind} ", f"| {kind}:"))]  # fmt: skip
        side = "debit" if kind.debit_side else "credit"
        assert len(rows) == 1, kind
        assert rows[0].split("|")[2].strip() == side, kind
