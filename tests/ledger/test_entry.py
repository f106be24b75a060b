"""Entries: transfers that balance by their shape, in a chain of hashes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import MoneyError
from node.ids import MemberId, entry_id
from node.ledger import accounts
from node.ledger.entry import (
    GENESIS,
    Entry,
    Transfer,
    chain_hash,
    transfer_digest,
    transfers_digest,
)
from node.money import UNITS_MAX, Asset, msat
from node.month import Month

ALICE, BOB = (accounts.available(Asset.SAT, MemberId(number)) for number in (1, 2))
ENTRY = Entry(
    entry_id("test", 1), "test", Asset.SAT, "ref", (Transfer(ALICE, BOB, 5),), Month(2026, 11)
)
rows = st.lists(st.tuples(st.text("ab:1", max_size=4), st.text("ab:1", max_size=4),
                          st.integers(1, UNITS_MAX)), max_size=6)  # fmt: skip


@pytest.mark.parametrize("units", [0, -1, UNITS_MAX + 1])
def test_a_transfer_moves_something_that_can_be_stored(units):
    with pytest.raises(MoneyError):
        Transfer(ALICE, BOB, units)


def test_a_transfer_goes_somewhere_else_and_stays_in_its_asset():
    with pytest.raises(MoneyError):
        Transfer(ALICE, ALICE, 1)
    with pytest.raises(MoneyError):
        Transfer(ALICE, accounts.available(Asset.USD, MemberId(2)), 1)


def test_an_entry_says_how_much_it_moves():
    entry = replace(ENTRY, transfers=(Transfer(ALICE, BOB, 5), Transfer(BOB, ALICE, 7)))
    assert entry.total == msat(12)


@given(rows, rows)
def test_other_transfers_have_another_digest(one, other):
    assert (transfers_digest(one) == transfers_digest(other)) is (one == other)


@given(rows.filter(bool))
def test_the_digest_of_a_single_transfer_is_that_of_a_list_of_one(some):
    assert transfer_digest(*some[0]) == transfers_digest(some[:1])


@pytest.mark.parametrize(
    "changed",
    [
        {"before": "1" * 64}, {"seq": 2}, {"at_us": 8}, {"digest": "d2"},
        {"entry": replace(ENTRY, id=entry_id("test", 2))}, {"entry": replace(ENTRY, kind="other")},
        {"entry": replace(ENTRY, ref="fer")}, {"entry": replace(ENTRY, month=None)},
        {"entry": replace(ENTRY, month=Month(2026, 12))},
        {"entry": replace(ENTRY, asset=Asset.USD)},
    ],
)  # fmt: skip
def test_the_chain_covers_everything_that_an_entry_says(changed):
    said = {"before": GENESIS, "seq": 1, "entry": ENTRY, "at_us": 7, "digest": "d1"}
    assert chain_hash(**said) != chain_hash(**{**said, **changed})


def test_the_chain_covers_what_came_before():
    first = chain_hash(GENESIS, 1, ENTRY, 7, "d1")
    other = chain_hash(GENESIS, 1, ENTRY, 8, "d1")
    assert chain_hash(first, 2, ENTRY, 9, "d1") != chain_hash(other, 2, ENTRY, 9, "d1")
