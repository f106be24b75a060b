"""Ids: a hash of what they name."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from node.ids import OPERATOR, MemberId, attempt_id, derive, entry_id, payout_id, payout_ids
from node.ids import withdrawal_id as withdrawal
from node.money import Asset
from node.month import Month

MONTH = Month(2026, 11)
parts = st.lists(st.text(max_size=6), max_size=4)


@given(parts, parts)
def test_only_the_same_parts_have_the_same_id(one, other):
    assert (derive("kind", *one) == derive("kind", *other)) is (one == other)


@given(st.text(max_size=10), st.text(max_size=10))
def test_parts_do_not_run_into_each_other(one, other):
    assert derive("kind", one + other) != derive("kind", one, other)


def test_kinds_have_ids_of_their_own():
    assert len({derive("payout", 1), derive("entry", 1), derive("attempt", 1)}) == 3
    assert entry_id("settle", "x") != entry_id("open", "x")


def test_an_id_stays_the_same_for_ever():
    """Ids are in every node's books: whoever changes how they are made breaks them all."""
    assert payout_id(MONTH, MemberId(7), Asset.SAT) == "8ba7b5944ceee93bc3bf78209a7a5d69"
    assert payout_id(MONTH, OPERATOR, Asset.SAT) != payout_id(MONTH, MemberId(7), Asset.SAT)


@given(st.lists(st.integers(0, 2**32 - 1)), st.sampled_from(Asset))
def test_many_payouts_have_the_ids_that_each_has_alone(members, asset):
    alone = [payout_id(MONTH, MemberId(member), asset) for member in members]
    assert payout_ids(MONTH, members, asset) == alone


def test_a_payout_has_one_id_for_each_month_member_and_asset():
    ids = {
        payout_id(MONTH.plus(later), MemberId(member), asset)
        for later in range(3) for member in range(20) for asset in Asset
    }  # fmt: skip
    assert len(ids) == 3 * 20 * len(Asset)


def test_two_members_with_one_key_have_two_withdrawals():
    assert withdrawal(MemberId(1), "k") != withdrawal(MemberId(2), "k")
    assert withdrawal(MemberId(1), "k") == withdrawal(MemberId(1), "k")


def test_an_attempt_is_named_by_payout_and_hash():
    payout, other = (payout_id(MONTH, MemberId(number), Asset.SAT) for number in (1, 2))
    first, second = ("a" * 64, "b" * 64)
    assert len({attempt_id(p, h) for p in (payout, other) for h in (first, second)}) == 4  # type: ignore[arg-type]  made up
