"""The split of one pot, by table and by property, and of many pots at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import MoneyError
from node.settlement import split as split_module
from node.settlement.split import split_pot, split_pots, sum_by

ALL_MONEY = 21_000_000 * 10**8 * 1000
"""Every bitcoin there will be, in msat."""

pots = st.integers(0, ALL_MONEY)
counts = st.integers(1, 10_000)
commissions = st.integers(0, 1000)


@pytest.mark.parametrize(
    ("pot", "flattrs", "bps", "share", "commission", "carry"),
    [
        (9000, 2, 1000, 4500, 450, 0),
        (10_007, 3, 1000, 3330, 333, 17),
        (9, 1, 1000, 0, 0, 9),
        (10, 1, 1000, 10, 1, 0),
        (19, 2, 1000, 0, 0, 19),
        (20, 2, 1000, 10, 1, 0),
        (0, 5, 1000, 0, 0, 0),
        (7777, 0, 1000, 0, 0, 7777),
        (35_000, 1, 333, 30_000, 999, 5000),
        (7, 3, 0, 2, 0, 1),
        (9999, 1, 1, 0, 0, 9999),
        (10_000, 1, 1, 10_000, 1, 0),
        (ALL_MONEY, 1, 1000, ALL_MONEY, ALL_MONEY // 10, 0),
    ],
)
def test_one_pot(pot, flattrs, bps, share, commission, carry):
    split = split_pot(pot, flattrs, bps)
    assert (split.share, split.commission, split.carry) == (share, commission, carry)


@given(pots, counts, commissions)
def test_nothing_is_lost_and_nothing_is_made(pot, flattrs, bps):
    split = split_pot(pot, flattrs, bps)
    assert split.distributed + split.carry == pot
    assert (split.net + split.commission) * flattrs == split.distributed
    assert min(split.net, split.commission, split.carry) >= 0


@given(pots, counts)
def test_the_operator_gets_exactly_ten_percent(pot, flattrs):
    split = split_pot(pot, flattrs, 1000)
    assert split.commission * 10 == split.share
    assert split.commission * flattrs * 10 == split.distributed


@given(pots, counts, commissions)
def test_the_commission_is_exact_whatever_it_is(pot, flattrs, bps):
    split = split_pot(pot, flattrs, bps)
    assert split.commission * 10_000 == split.share * bps


@given(pots, counts, commissions)
def test_the_carry_is_less_than_one_step_for_each_flattr(pot, flattrs, bps):
    q = split_module.share_step(bps)
    split = split_pot(pot, flattrs, bps)
    assert split.carry < q * flattrs
    assert split.share % q == 0


@given(pots, st.integers(1, 999), commissions)
def test_flattring_more_never_costs_more(pot, flattrs, bps):
    more = split_pot(pot, flattrs + 1, bps)
    assert more.distributed <= pot
    assert more.share <= split_pot(pot, flattrs, bps).share


def test_every_commission_that_an_operator_may_set_is_exact():
    for bps in range(1001):
        for pot, flattrs in ((123_456_789, 7), (999_999, 3), (ALL_MONEY, 9973)):
            split = split_pot(pot, flattrs, bps)
            assert split.commission * 10_000 == split.share * bps
            assert split.distributed + split.carry == pot


@pytest.mark.parametrize("bps", [-1, 1001, 10_000])
def test_no_operator_keeps_more_than_ten_percent(bps):
    with pytest.raises(MoneyError):
        split_pot(1000, 1, bps)
    with pytest.raises(MoneyError):
        split_pots(np.array([1000]), np.array([1]), bps)


@given(st.lists(st.tuples(pots, st.integers(0, 10_000)), min_size=1, max_size=50), commissions)
def test_many_pots_are_split_as_each_alone(rows, bps):
    amounts, flattrs = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    many = split_pots(amounts, flattrs, bps)
    alone = [split_pot(pot, count, bps) for pot, count in rows]
    for name in ("flattrs", "share", "commission", "carry", "net"):
        assert getattr(many, name).tolist() == [getattr(one, name) for one in alone]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, ALL_MONEY // 100)), max_size=100))
def test_sums_by_key_are_exact_beyond_what_floats_hold(rows):
    keys = np.array([key for key, _ in rows], np.int64)
    amounts = np.array([amount for _, amount in rows], np.int64)
    wanted = [sum(amount for key, amount in rows if key == wanted) for wanted in range(10)]
    assert sum_by(keys, amounts, 10).tolist() == wanted


def test_more_rows_than_sums_are_exact_for_are_refused(monkeypatch):
    monkeypatch.setattr(split_module, "_ROWS_MAX", 3)
    with pytest.raises(MoneyError, match="at most 3 rows at once, not 4"):
        sum_by(np.zeros(4, np.int64), np.ones(4, np.int64), 1)
    assert sum_by(np.zeros(3, np.int64), np.ones(3, np.int64), 1).tolist() == [3]


@pytest.mark.parametrize("exact", [2**53, 0], ids=["in one part", "in two parts"])
def test_a_sum_is_whole_numbers_however_it_is_made(monkeypatch, exact):
    monkeypatch.setattr(split_module, "_FLOAT_EXACT", exact)
    found = sum_by(np.array([0, 2, 2]), np.array([1, 2**33, 5]), 3)
    assert (found.dtype, found.tolist()) == (np.int64, [1, 0, 2**33 + 5])
    assert sum_by(np.zeros(0, np.int64), np.zeros(0, np.int64), 2).tolist() == [0, 0]
