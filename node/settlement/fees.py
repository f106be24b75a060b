"""What a payout may cost in routing fees.

The fee is the operator's expense and comes on top of the payout (design.md §3.8); a payout for
which no route is that cheap waits.
"""

from __future__ import annotations

from typing import Final

from node.errors import MoneyError
from node.money import Amount, Asset, sats

FEE_FLOOR: Final = sats(2)
FEE_BPS: Final = 50
"""0.5 %."""
BPS: Final = 10_000


def payout_fee_limit(amount: Amount) -> Amount:
    """The most that routing `amount` may cost: max(2 sat, 0.5 % rounded down to 1 msat).

    Raises MoneyError for an asset that is not sat.
    """
    if amount.asset is not Asset.SAT:
        raise MoneyError(f"{amount.asset} is not paid over Lightning")
    part, _ = divmod(amount.units * FEE_BPS, BPS)
    return max(FEE_FLOOR, Amount(part))
