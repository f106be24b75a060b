"""What a payout may cost in routing fees.

The fee is the operator's expense and comes on top of the payout (design.md §3.8); a payout for
which no route is that cheap waits.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from node.errors import MoneyError
from node.money import Amount, Asset, sats

Units: TypeAlias = NDArray[np.int64]

FEE_FLOOR: Final = sats(2)
FEE_BPS: Final = 50
"""0.5 %."""
_BPS: Final = 10_000


def payout_fee_limit(amount: Amount) -> Amount:
    """The most that routing `amount` may cost: max(2 sat, 0.5 % rounded down to 1 msat).

    Raises MoneyError for an asset that is not sat.
    """
    if amount.asset is not Asset.SAT:
        raise MoneyError(f"{amount.asset} is not paid over Lightning")
    part, _ = divmod(amount.units * FEE_BPS, _BPS)
    return max(FEE_FLOOR, Amount(part))


def payout_fee_limits(units: Units) -> Units:
    """`payout_fee_limit` for many amounts in msat."""
    # The whole part apart from the rest: units * FEE_BPS could pass 2**63.
    whole, rest = np.divmod(units, _BPS)
    part: Units = whole * FEE_BPS + rest * FEE_BPS // _BPS
    return np.maximum(part, FEE_FLOOR.units)
