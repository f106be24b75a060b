"""A payout costs at most two sats or half a percent, whichever is more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.money import Amount, Asset, msat, sats
from node.settlement.fees import most_with_fee, payout_fee_limit


@pytest.mark.parametrize(
    ("amount", "limit"),
    [
        (sats(0), sats(2)),
        (sats(1), sats(2)),
        (sats(400), sats(2)),
        (sats(401), msat(2005)),
        (msat(400_199), msat(2000)),
        (msat(400_200), msat(2001)),
        (sats(1_000_000), sats(5000)),
    ],
)
def test_the_limit_is_the_larger_of_both(amount, limit):
    assert payout_fee_limit(amount) == limit


def test_the_stablecoin_is_paid_without_a_fee_in_it():
    assert payout_fee_limit(Amount(10**12, Asset.USD)) == Amount(0, Asset.USD)


@pytest.mark.parametrize(
    ("available", "most"),
    [
        (msat(0), sats(0)),
        (msat(2_999), sats(0)),
        (sats(3), sats(1)),
        (sats(402), sats(400)),
        (msat(403_004), sats(400)),
        (msat(403_005), sats(401)),
        (sats(1_005_000), sats(1_000_000)),
        (Amount(2_999_999, Asset.USD), Amount(2_000_000, Asset.USD)),
    ],
)
def test_the_most_that_can_be_withdrawn_is_known(available, most):
    assert most_with_fee(available) == most


@given(st.one_of(st.integers(0, 2_000_000), st.integers(0, 2**62)))
def test_the_most_fits_with_its_fee_and_a_sat_more_does_not(units):
    most = most_with_fee(msat(units))
    assert not most.whole_coins()[1]
    assert not most or most.units + payout_fee_limit(most).units <= units
    more = most + sats(1)
    assert more.units + payout_fee_limit(more).units > units
