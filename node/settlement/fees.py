"""What a payout may cost in fees of its own asset.

The fee is the operator's expense and comes on top of the payout (design.md §3.8); a payout for
which no route is that cheap waits. On the chain it costs gas, which is counted in wei, and nothing
of the stablecoin.
"""

from __future__ import annotations

from typing import Final

from node.money import Amount, Asset, sats

FEE_FLOOR: Final = sats(2)
FEE_BPS: Final = 50
"""0.5 %."""
BPS: Final = 10_000


def fee_rule(asset: Asset) -> tuple[int, int]:
    """(the least limit in base units, basis points of the amount) of payouts in this asset."""
    return (FEE_FLOOR.units, FEE_BPS) if asset is Asset.SAT else (0, 0)


def payout_fee_limit(amount: Amount) -> Amount:
    """The most that paying `amount` may cost: over Lightning max(2 sat, 0.5 % rounded down)."""
    floor, bps = fee_rule(amount.asset)
    part, _ = divmod(amount.units * bps, BPS)
    return Amount(max(floor, part), amount.asset)


def most_with_fee(available: Amount) -> Amount:
    """The most, in whole coins, that can be paid out of `available` with its fee limit beside it.

    Nothing if not even one coin can. A coin more would not fit, whatever its fee comes to.
    """
    floor, bps = fee_rule(available.asset)
    coin = available.asset.units_per_coin
    assert coin * bps % BPS == 0, "the part of whole coins is never rounded, so the sum is exact"
    by_floor, _ = divmod(max(0, available.units - floor), coin)
    by_part, _ = divmod(available.units * BPS, coin * (BPS + bps))
    return Amount(min(by_floor, by_part) * coin, available.asset)
