"""Every event keeps both laws of the books, and is the same event when it is booked again."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.ids import AttemptId, EntryId, MemberId, PaymentHash, PayoutId, payout_ids
from node.ledger import accounts, bookings, closing
from node.ledger.bookings import Refund
from node.ledger.bulk import BulkEntry
from node.ledger.closing import CreatorRows, ReaderRows
from node.ledger.entry import Entry
from node.money import Amount, Asset, msat
from node.month import Month
from tests.ledger.balances import Balances

ALICE, CAROL = MemberId(1), MemberId(2)
NOV, DEC, JAN = Month(2026, 11), Month(2026, 12), Month(2027, 1)
PAYOUT = PayoutId("p1")
SAT, USD = Asset.SAT, Asset.USD
NONE = np.zeros(0, np.int64)


def hash_of(number: int) -> PaymentHash:
    return PaymentHash(f"{number:064x}")


def column(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int64)


A_LIFE: list[tuple[str, Callable[[], Entry | BulkEntry], dict[str, int]]] = [
    ("a deposit", lambda: bookings.deposit(ALICE, msat(9000), hash_of(1), None),
     {"available:1": 9000, "wallet:lightning": 9000}),
    ("a deposit into the pot", lambda: bookings.deposit(ALICE, msat(500), hash_of(2), NOV),
     {"available:1": 9000, "pot:1:2026-11": 500}),
    ("the pot is filled", lambda: bookings.fill_pot(ALICE, NOV, msat(600), "pot", "k"),
     {"available:1": 8400, "pot:1:2026-11": 1100}),
    ("the pot is emptied", lambda: bookings.empty_pot(ALICE, NOV, msat(90), "k"),
     {"available:1": 8490, "pot:1:2026-11": 1010}),
    ("the month is closed", lambda: closing.close(
        SAT, NOV, ReaderRows(column(1), column(1000), column(10), column(0)), 100,
        CreatorRows(column(2), column(900), column(0))),
     {"pot:1:2026-11": 0, "closing:2026-11": 0, "available:1": 8500, "held:2": 900,
      "commission": 100}),
    ("the dues take a part", lambda: bookings.dues_from_earnings(
        CAROL, NOV, DEC, asset=SAT, from_earned=0, from_held=200),
     {"held:2": 700, "pot:2:2026-12": 200}),
    ("a part goes back", lambda: bookings.return_held(
        CAROL, NOV, NOV, SAT, [(ALICE, 50), (CAROL, 0)]),
     {"held:2": 650, "pot:1:2026-11": 50}),
    ("the rest is released", lambda: bookings.release(CAROL, DEC, msat(650)),
     {"held:2": 0, "earned:2": 650}),
    ("a payout is opened", lambda: bookings.open_payout(
        PAYOUT, accounts.earned(SAT, CAROL), 600, DEC),
     {"earned:2": 50, "payout:p1": 600}),
    ("it is paid", lambda: bookings.settle_payout(PAYOUT, msat(600), msat(7), DEC),
     {"payout:p1": 0, "wallet:lightning": 8900, "expense:routing": 7, "capital": 7}),
    ("a withdrawal is opened", lambda: bookings.open_payout(
        PayoutId("w1"), accounts.available(SAT, ALICE), 3000, None),
     {"available:1": 5500, "payout:w1": 3000}),
    ("it is paid for less", lambda: bookings.settle_withdrawal(
        PayoutId("w1"), ALICE, msat(2000), msat(30), msat(3000)),
     {"payout:w1": 0, "available:1": 6470, "wallet:lightning": 6870, "expense:routing": 7}),
    ("another is opened", lambda: bookings.open_payout(
        PayoutId("w2"), accounts.available(SAT, ALICE), 1000, None), {"available:1": 5470}),
    ("it cost more than its limit", lambda: bookings.settle_withdrawal(
        PayoutId("w2"), ALICE, msat(900), msat(150), msat(1000)),
     {"payout:w2": 0, "available:1": 5470, "wallet:lightning": 5870, "expense:routing": 57}),
    ("a third is opened", lambda: bookings.open_payout(
        PayoutId("w3"), accounts.available(SAT, ALICE), 1000, None), {"available:1": 4470}),
    ("it comes back", lambda: bookings.return_withdrawal(PayoutId("w3"), ALICE, msat(1000)),
     {"available:1": 5470, "payout:w3": 0}),
    ("a dead payment has paid", lambda: bookings.unexplained(AttemptId("a"), msat(600), msat(3)),
     {"suspense": 603, "capital": 660}),
    ("it was the only one", lambda: bookings.paid_once(AttemptId("a"), msat(600), msat(3)),
     {"suspense": 0, "capital": 57}),
    ("another dead payment has paid", lambda: bookings.unexplained(
        AttemptId("b"), msat(600), msat(3)), {"suspense": 603, "capital": 660}),
    ("standing amounts", lambda: closing.means(SAT, NOV, column(1, 2), column(470, 0)),
     {"available:1": 5000, "pot:1:2026-12": 470}),
    ("a release in bulk", lambda: closing.release(SAT, DEC, NONE, NONE), {}),
    ("dues in bulk", lambda: closing.dues(SAT, DEC, column(2), column(50), column(0)),
     {"earned:2": 0, "pot:2:2027-01": 50}),
    ("the commission's payout", lambda: closing.open_payouts(
        SAT, DEC, column(0), payout_ids(DEC, [0], SAT), column(100)), {"commission": 0}),
    ("a deposit into the vault", lambda: bookings.vault_deposit(
        EntryId("e1"), "deposited", ALICE, Amount(1000, USD), "0xaa:0"),
     {"available:1": 6000, "wallet:stablecoin": 1000}),
    ("pots follow the vault", lambda: bookings.vault_pots(
        USD, DEC, column(1, 2), column(300, 0), column(0, 100), "k"),
     {"available:1": 5700, "pot:1:2026-12": 770, "available:2": 100, "pot:2:2026-12": 100}),
    ("more is withdrawn than the books have", lambda: bookings.vault_withdrawal(
        EntryId("e2"), Amount(1000, USD),
        [(accounts.available(USD, ALICE), 600), (accounts.pot(USD, ALICE, DEC), 300)], "0xbb:0"),
     {"available:1": 5100, "pot:1:2026-12": 470, "wallet:stablecoin": 100, "suspense": 703,
      "capital": 760}),
    ("the vault did not get all", lambda: closing.uncharged(USD, DEC, column(1), column(70)),
     {"available:1": 5170, "pot:1:2026-12": 400}),
    ("the withdrawal is explained", lambda: bookings.explained(
        USD, "0xbb:0", DEC,
        [(accounts.available(USD, ALICE), 70), (accounts.pot(USD, ALICE, JAN), 0)]),
     {"available:1": 5100, "wallet:stablecoin": 30, "suspense": 633, "capital": 690}),
    ("what no share took goes back", lambda: bookings.refund(USD, DEC, [
        Refund(ALICE, PayoutId("r1"), 17, 1), Refund(CAROL, PayoutId("r2"), 0, 1),
        Refund(CAROL, PayoutId("r3"), 4, 0)]),
     {"available:1": 5082, "available:2": 95, "payout:r1": 17, "payout:r2": 0, "payout:r3": 4,
      "commission": 2}),
    ("gas is the operator's", lambda: bookings.gas("0xcc", 5000),
     {"expense:gas": 5000, "capital": 5690}),
    ("a withdrawal that the books have", lambda: bookings.vault_withdrawal(
        EntryId("e3"), Amount(25, USD), [(accounts.available(USD, CAROL), 25)], "0xdd:0"),
     {"available:2": 70, "wallet:stablecoin": 5, "suspense": 633}),
]  # fmt: skip
"""One after the other, each from where the one before left the balances."""


def test_a_members_life_in_the_books():
    books = Balances()
    for words, booked, wanted in A_LIFE:
        books.book(booked())
        found = {name: books.units[name] for name in wanted}
        assert found == wanted, words


def test_every_booking_is_in_that_life():
    """Whoever adds an event adds it to the list above."""
    source = inspect.getsource(inspect.getmodule(test_every_booking_is_in_that_life))  # type: ignore[arg-type]  this module has one
    for module in (bookings, closing):
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and not name.startswith("_"):
                assert f"{module.__name__.rpartition('.')[2]}.{name}(" in source, name


@pytest.mark.parametrize(("words", "booked", "wanted"), A_LIFE, ids=[row[0] for row in A_LIFE])
def test_the_same_event_is_the_same_entry(words, booked, wanted):
    del words, wanted
    assert booked().id == booked().id
    assert booked() is not booked()


def test_other_events_are_other_entries():
    ids = [booked().id for _, booked, _ in A_LIFE]
    assert len(set(ids)) == len(ids)
    held_of = [
        bookings.return_held(CAROL, month, DEC, SAT, [(ALICE, 5)]).id for month in (NOV, DEC)
    ]
    assert held_of[0] != held_of[1]


@given(st.integers(1, 10**12), st.integers(0, 10**9), st.integers(0, 10**9))
def test_a_withdrawal_takes_no_more_than_was_set_aside(amount, limit, fee):
    books = Balances()
    reserved = msat(amount + limit)
    books.book(bookings.deposit(ALICE, reserved, hash_of(1), None))
    free = accounts.available(SAT, ALICE)
    books.book(bookings.open_payout(PAYOUT, free, reserved.units, None))
    books.book(bookings.settle_withdrawal(PAYOUT, ALICE, msat(amount), msat(fee), reserved))
    assert books.units["payout:p1"] == 0
    assert books.units["available:1"] == max(0, limit - fee)
    assert books.units["expense:routing"] == max(0, fee - limit)


@given(st.integers(1, 10**15), st.integers(0, 10**9))
def test_the_fee_of_a_payout_is_the_operators(amount, fee):
    books = Balances()
    books.book(bookings.deposit(ALICE, msat(amount), hash_of(1), None))
    books.book(bookings.open_payout(PAYOUT, accounts.available(SAT, ALICE), amount, NOV))
    books.book(bookings.settle_payout(PAYOUT, Amount(amount), msat(fee), NOV))
    assert books.units["wallet:lightning"] == 0
    assert books.units["capital"] == fee
