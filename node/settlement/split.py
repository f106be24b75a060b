"""The split: one pot into identical shares, and a whole month of pots at once.

Pot `P`, `n` counted flattrs, commission `bps` (1000 = 10 %). With q = 10000 // gcd(bps, 10000), the
share is g = q * (P // (q * n)): a multiple of q, so g * bps / 10000 is whole and the commission is
exact at every level. The carry P - g*n < q*n is the reader's. Every share of a pot is the same, so
there is no tie to break (design.md §3.2).

`split_pot` is the specification. `split_pots` does the same for many pots in numpy; a test holds
one against the other. Sums stay exact: numpy's `bincount` adds weights as floats, which are whole
up to 2**53; what comes to more is added as 26-bit halves.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from node.errors import MoneyError

BPS: Final = 10_000
COMMISSION_BPS_MAX: Final = 1000
_HALF_BITS: Final = 26
_FLOAT_EXACT: Final = 2**53
_ROWS_MAX: Final = 2**26

Units: TypeAlias = NDArray[np.int64]
"""Base units, or ids, or counts: always 64-bit signed."""


@dataclass(frozen=True, slots=True)
class PotSplit:
    """How one pot is split, in base units. `share` = `net` + `commission`, per flattr."""

    flattrs: int
    share: int
    commission: int
    carry: int

    @property
    def net(self) -> int:
        """What the creator gets for one flattr."""
        return self.share - self.commission

    @property
    def distributed(self) -> int:
        """What left the pot."""
        return self.share * self.flattrs


def share_step(commission_bps: int) -> int:
    """q: what a share is a multiple of. Raises MoneyError outside 0 … 1000 bps."""
    if not 0 <= commission_bps <= COMMISSION_BPS_MAX:
        raise MoneyError(f"the commission is 0 to {COMMISSION_BPS_MAX} bps, not {commission_bps}")
    return BPS // math.gcd(commission_bps, BPS) if commission_bps else 1


def split_pot(pot: int, flattrs: int, commission_bps: int) -> PotSplit:
    """Split `pot` base units over `flattrs` counted flattrs. No flattrs: all of it is carry."""
    if flattrs == 0:
        return PotSplit(0, 0, 0, pot)
    q = share_step(commission_bps)
    share = q * (pot // (q * flattrs))
    commission, rest = divmod(share * commission_bps, BPS)
    carry = pot - share * flattrs
    assert rest == 0, "the commission is whole because the share is a multiple of q"
    assert 0 <= carry < q * flattrs, "what is left is less than one step per flattr"
    return PotSplit(flattrs, share, commission, carry)


@dataclass(frozen=True, slots=True)
class PotsSplit:
    """How many pots are split: arrays of one number per pot, in the order given."""

    flattrs: Units
    share: Units
    commission: Units
    carry: Units

    @property
    def net(self) -> Units:
        """What a creator gets for one flattr of each pot."""
        return self.share - self.commission


def split_pots(pots: Units, flattrs: Units, commission_bps: int) -> PotsSplit:
    """`split_pot` for arrays of the same length."""
    q = share_step(commission_bps)
    share = q * (pots // (q * np.maximum(flattrs, 1)))
    share[flattrs == 0] = 0
    # share is a multiple of q, so dividing by q first keeps every product below 2**63.
    commission = (share // q) * (q * commission_bps // BPS)
    return PotsSplit(flattrs, share, commission, pots - share * flattrs)


def sum_by(keys: Units, units: Units, length: int) -> Units:
    """Exact sums of `units` (none negative) for each key below `length`."""
    if len(keys) > _ROWS_MAX:
        raise MoneyError(f"at most {_ROWS_MAX} rows at once, not {len(keys)}")
    if int(units.max(initial=0)) * len(units) < _FLOAT_EXACT:
        return np.bincount(keys, weights=units, minlength=length).astype(np.int64)
    low = np.bincount(keys, weights=units & ((1 << _HALF_BITS) - 1), minlength=length)
    high = np.bincount(keys, weights=units >> _HALF_BITS, minlength=length)
    return low.astype(np.int64) + (high.astype(np.int64) << _HALF_BITS)
