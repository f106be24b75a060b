"""Entries as columns are the entries that each transfer alone would make."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import MoneyError
from node.ids import MemberId, PaymentHash, PayoutId, payout_ids
from node.ledger import accounts, bookings, closing
from node.ledger.accounts import Account, Kind
from node.ledger.bulk import BulkEntry, MemberAccounts, Transfers, where_any
from node.ledger.closing import CreatorRows, ReaderRows
from node.ledger.entry import Transfer, transfers_digest
from node.money import Asset, msat
from node.month import Month
from tests.ledger.balances import Balances, rows_of

NOV, SAT = Month(2026, 11), Asset.SAT
MEMBERS_MAX = 6


@st.composite
def closes(draw: st.DrawFn) -> tuple[ReaderRows, int, CreatorRows]:
    """Rows of a close that balance: what left the pots is what creators and operator get."""
    readers = draw(st.integers(1, MEMBERS_MAX))
    creators = draw(st.integers(1, MEMBERS_MAX))
    units = st.integers(0, 10**15)
    net = draw(st.lists(units, min_size=creators, max_size=creators))
    commission = draw(st.integers(1, 10**12))
    left = sum(net) + commission
    cuts = sorted(draw(st.lists(st.integers(0, left), min_size=readers - 1, max_size=readers - 1)))
    gone = np.diff([0, *cuts, left])
    rolled = np.where(gone == 0, draw(units), 0)
    carry = np.where(gone > 0, draw(units), 0)
    paying = draw(st.lists(st.integers(0, 1), min_size=creators, max_size=creators))
    rows = ReaderRows(np.arange(1, readers + 1), gone.astype(np.int64), carry, rolled)
    return rows, commission, CreatorRows(
        np.arange(11, 11 + creators), np.array(net, np.int64), np.array(paying, np.int64)
    )  # fmt: skip


@given(closes())
def test_a_close_in_bulk_is_the_close_one_by_one(close):
    readers, commission, creators = close
    bulk = closing.close(SAT, NOV, readers, commission, creators)
    assert bulk.digest() == transfers_digest(
        (t.debit.name, t.credit.name, t.units) for t in _by_hand(*close)
    )


@given(closes())
def test_a_close_keeps_the_laws_and_leaves_nothing_in_the_middle(close):
    readers, commission, creators = close
    books = Balances()
    for member, *parts in zip(
        readers.members.tolist(), readers.distributed, readers.carry, readers.rolled, strict=True
    ):
        if pot := int(sum(parts)):
            key = PaymentHash(f"{member:064x}")
            books.book(bookings.deposit(MemberId(member), msat(pot), key, NOV))
    books.book(closing.close(SAT, NOV, readers, commission, creators))
    assert books.units[f"closing:{NOV}"] == 0
    assert [units for name, units in books.units.items() if name.endswith(str(NOV)) and units] == []
    assert books.units["commission"] == commission


def test_payouts_in_bulk_are_payouts_one_by_one():
    members, units = np.array([0, 3, 9]), np.array([10, 20, 30])
    ids = payout_ids(NOV, members.tolist(), SAT)
    bulk = closing.open_payouts(SAT, NOV, members, ids, units)
    sources = [accounts.commission(SAT), *(accounts.earned(SAT, MemberId(m)) for m in (3, 9))]
    one_by_one = [
        bookings.open_payout(PayoutId(one), source, int(amount), NOV).transfers[0]
        for one, source, amount in zip(ids, sources, units, strict=True)
    ]
    alone = {(t.debit.name, t.credit.name, t.units) for t in one_by_one}
    assert set(rows_of(bulk)) == alone
    assert len(list(rows_of(bulk))) == 3


def test_a_row_that_moves_nothing_is_left_out_or_refused():
    members = MemberAccounts(Kind.HELD, np.array([1, 2, 3]))
    earned = MemberAccounts(Kind.EARNED, np.array([1, 2, 3]))
    units = np.array([5, 0, 7])
    assert list(where_any(members, earned, units).rows()) == [
        ("held:1", "earned:1", 5), ("held:3", "earned:3", 7),
    ]  # fmt: skip
    with pytest.raises(MoneyError):
        Transfers(members, earned, units)
    with pytest.raises(MoneyError):
        Transfers(members, earned, np.array([5, -1, 7]))


def test_an_event_that_moves_nothing_has_no_blocks():
    nobody = np.zeros(0, np.int64)
    assert closing.release(SAT, NOV, nobody, nobody).blocks == ()
    assert closing.means(SAT, NOV, np.array([1]), np.array([0])).blocks == ()


def test_the_header_says_which_month():
    bulk = BulkEntry(closing.release(SAT, NOV, np.array([1]), np.array([2])).id, "x", SAT, NOV, ())
    assert (bulk.header().ref, bulk.header().month) == ("2026-11", NOV)


def _by_hand(readers: ReaderRows, commission: int, creators: CreatorRows) -> list[Transfer]:
    through = accounts.closing(SAT, NOV)
    moves: list[Transfer] = []

    def move(debit: Account, credit: Account, units: int) -> None:
        if units:
            moves.append(Transfer(debit, credit, int(units)))

    members = [MemberId(number) for number in readers.members.tolist()]
    pots = [accounts.pot(SAT, member, NOV) for member in members]
    for pot, units in zip(pots, readers.distributed, strict=True):
        move(pot, through, units)
    for member, pot, units in zip(members, pots, readers.carry, strict=True):
        move(pot, accounts.available(SAT, member), units)
    for member, pot, units in zip(members, pots, readers.rolled, strict=True):
        move(pot, accounts.pot(SAT, member, NOV.plus(1)), units)
    move(through, accounts.commission(SAT), commission)
    rows = list(zip(creators.members.tolist(), creators.net, creators.paying, strict=True))
    for member, units, paying in rows:
        move(through, accounts.earned(SAT, MemberId(member)), units if paying else 0)
    for member, units, paying in rows:
        move(through, accounts.held(SAT, MemberId(member)), 0 if paying else units)
    return moves
