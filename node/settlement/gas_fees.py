"""What a transaction offers for its gas, and how an offer is raised (EIP-1559).

    tip    per gas, for who builds the block
    cap    per gas, the most that base fee and tip may cost together

A node takes a second transaction of the same nonce only when both are at least 10 % above the
first's (geth's `txpool.pricebump`), and the base fee moves by an eighth a block at most. So a raise
is an eighth, rounded up, and at least 1 wei. Above the ceiling nothing is offered: then the
transaction waits for a cheaper hour, and the operator is told.

Fees are the operator's expense (design.md §3.8).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

TRANSACTION_GAS_MAX: Final = 2**24
"""No transaction may ask for more (EIP-7825)."""
RAISE_NUMERATOR: Final = 9
RAISE_DENOMINATOR: Final = 8


@dataclass(frozen=True, slots=True)
class Fees:
    """An offer, in wei per gas. The tip is never above the cap."""

    tip_wei: int
    cap_wei: int


def gas_limit(estimate: int) -> int:
    """The gas to ask for: a quarter more than was estimated, for what changes until the block.

    What is not used is not paid. Raises ValueError when the estimate alone is too much for one
    transaction.
    """
    if estimate > TRANSACTION_GAS_MAX:
        raise ValueError(f"{estimate} gas is more than one transaction may have")
    return min(estimate + estimate // 4, TRANSACTION_GAS_MAX)


def first_fees(base_fee_wei: int, tip_wei: int, ceiling_wei: int) -> Fees:
    """The first offer: twice the base fee and the tip, so that six full blocks can pass it by.

    At most the ceiling, also when the base fee is above it: then it waits.
    """
    cap_wei = min(2 * base_fee_wei + tip_wei, ceiling_wei)
    return Fees(min(tip_wei, cap_wei), cap_wei)


def bumped(fees: Fees, base_fee_wei: int, ceiling_wei: int) -> Fees | None:
    """The next offer for the same nonce; None when the least one is above the ceiling."""
    tip_wei = _raised(fees.tip_wei)
    least_wei = _raised(fees.cap_wei)
    if least_wei > ceiling_wei:
        return None
    cap_wei = max(least_wei, min(2 * base_fee_wei + tip_wei, ceiling_wei))
    return Fees(tip_wei, cap_wei)


def _raised(wei: int) -> int:
    """An eighth more, rounded up, and at least 1 wei."""
    whole, rest = divmod(wei * RAISE_NUMERATOR, RAISE_DENOMINATOR)
    return max(whole + (rest > 0), wei + 1)
