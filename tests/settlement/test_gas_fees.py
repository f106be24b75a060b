"""A raised offer is taken by every pool, and none is above the operator's ceiling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.settlement.gas_fees import Fees, bumped, first_fees, gas_limit

GWEI = 10**9
wei = st.integers(min_value=0, max_value=10**15)


@pytest.mark.parametrize(
    ("base_fee", "tip", "ceiling", "tip_wei", "cap_wei"),
    [
        (5 * GWEI, GWEI, 100 * GWEI, GWEI, 11 * GWEI),
        (0, 0, 100 * GWEI, 0, 0),
        (50 * GWEI, GWEI, 100 * GWEI, GWEI, 100 * GWEI),
        (500 * GWEI, GWEI, 100 * GWEI, GWEI, 100 * GWEI),
        (5 * GWEI, 9 * GWEI, 8 * GWEI, 8 * GWEI, 8 * GWEI),
    ],
)
def test_the_first_offer_is_twice_the_base_fee_and_a_tip(base_fee, tip, ceiling, tip_wei, cap_wei):
    assert first_fees(base_fee, tip, ceiling) == Fees(tip_wei, cap_wei)


@pytest.mark.parametrize(
    ("before", "base_fee", "ceiling", "after"),
    [
        # Both an eighth up.
        (Fees(800, 8000), 0, 10**6, Fees(900, 9000)),
        # Rounded up, never down: 8001 * 9 / 8 = 9001.125.
        (Fees(801, 8001), 0, 10**6, Fees(902, 9002)),
        # The base fee has risen more than that.
        (Fees(800, 8000), 10_000, 10**6, Fees(900, 20_900)),
        # ... but the ceiling stands.
        (Fees(800, 8000), 10_000, 9_500, Fees(900, 9_500)),
        # The least raise is just the ceiling, or just above it.
        (Fees(800, 8000), 10_000, 9_000, Fees(900, 9_000)),
        (Fees(800, 8000), 10_000, 8_999, None),
        # A raise of nothing would be none.
        (Fees(0, 0), 0, 10, Fees(1, 1)),
        (Fees(1, 3), 0, 10, Fees(2, 4)),
        (Fees(0, 8000), 0, 10**6, Fees(1, 9000)),
    ],
)
def test_the_table_of_raises(before, base_fee, ceiling, after):
    assert bumped(before, base_fee, ceiling) == after


@given(wei, wei, wei, wei, wei)
def test_every_raise_is_one_that_geth_takes(base_fee, tip, ceiling, later_fee, later_ceiling):
    before = first_fees(base_fee, tip, ceiling)
    assert before.tip_wei <= before.cap_wei <= ceiling
    after = bumped(before, later_fee, later_ceiling)
    if after is None:
        assert before.cap_wei * 9 > later_ceiling * 8 or before.cap_wei == later_ceiling
        return
    assert after.tip_wei <= after.cap_wei <= later_ceiling
    # geth: both above the old ones, and at least 10 % above.
    assert after.tip_wei > before.tip_wei
    assert after.cap_wei > before.cap_wei
    assert after.tip_wei * 10 >= before.tip_wei * 11
    assert after.cap_wei * 10 >= before.cap_wei * 11


@given(wei, wei, st.integers(min_value=0, max_value=10**18))
def test_raises_come_to_an_end(base_fee, tip, ceiling):
    fees: Fees | None = first_fees(base_fee, tip, ceiling)
    raises = 0
    while fees is not None:
        fees = bumped(fees, base_fee, ceiling)
        raises += 1
    assert raises <= 500


@pytest.mark.parametrize(
    ("estimate", "limit"),
    [(0, 0), (21_000, 26_250), (100_001, 125_001), (14_000_000, 2**24), (2**24, 2**24)],
)
def test_a_transaction_asks_for_a_quarter_more_and_never_for_too_much(estimate, limit):
    assert gas_limit(estimate) == limit


def test_what_fits_into_no_transaction_is_said():
    with pytest.raises(ValueError, match="more than one transaction"):
        gas_limit(2**24 + 1)
