"""A payout costs at most two sats or half a percent, whichever is more."""

import pytest

from node.money import Amount, Asset, msat, sats
from node.settlement.fees import payout_fee_limit


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
