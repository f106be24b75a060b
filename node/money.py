"""Money: whole base units of one asset.

Sats are held in millisatoshi; the stablecoin in its 6-decimal base units. An `Amount` never mixes
with another asset's, is never a float, and divides only through `divmod`, so that the remainder
always has an owner. `Decimal` appears in one place, for printing.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from node.errors import MoneyError

UNITS_MAX: Final = 2**63 - 1
"""The largest number of base units that both databases hold."""


class Asset(StrEnum):
    """What an amount is counted in. One ledger and one conservation law each."""

    SAT = "sat"
    """Bitcoin, in millisatoshi."""
    USD = "usd"
    """The stablecoin, in base units of 10**-6."""
    ETH = "eth"
    """What gas costs, in wei: an expense of the operator's, and nobody's balance."""

    @property
    def units_per_coin(self) -> int:
        """Base units in one sat, one unit of the stablecoin, or one ether."""
        return {Asset.SAT: 1000, Asset.USD: 10**6, Asset.ETH: 10**18}[self]

    @property
    def unit(self) -> str:
        """The name of the base unit."""
        return {Asset.SAT: "msat", Asset.USD: "µUSD", Asset.ETH: "wei"}[self]


MSAT_PER_SAT: Final = Asset.SAT.units_per_coin


@dataclass(frozen=True, slots=True, order=True)
class Amount:
    """`units` base units of `asset`; never negative. Raises MoneyError on anything else."""

    units: int
    asset: Asset = Asset.SAT

    def __post_init__(self) -> None:
        if type(self.units) is not int or not 0 <= self.units <= UNITS_MAX:
            raise MoneyError(f"{self.units!r} is no whole, storable number of base units")

    def __add__(self, other: Amount) -> Amount:
        self._same_asset(other)
        return Amount(self.units + other.units, self.asset)

    def __sub__(self, other: Amount) -> Amount:
        """Raise MoneyError when `other` is more than this."""
        self._same_asset(other)
        return Amount(self.units - other.units, self.asset)

    def __bool__(self) -> bool:
        return self.units > 0

    def __str__(self) -> str:
        return f"{format_units(self.units, self.asset)} {self.asset}"

    def whole_coins(self) -> tuple[Amount, Amount]:
        """(the part in whole sats or whole stablecoin units, the rest)."""
        _, rest = divmod(self.units, self.asset.units_per_coin)
        return Amount(self.units - rest, self.asset), Amount(rest, self.asset)

    def _same_asset(self, other: Amount) -> None:
        if self.asset is not other.asset:
            raise MoneyError(f"{self.asset} and {other.asset} do not mix")


def sats(number: int) -> Amount:
    """Whole satoshis as an Amount of millisatoshi."""
    return Amount(number * MSAT_PER_SAT)


def msat(number: int) -> Amount:
    """Millisatoshi as an Amount."""
    return Amount(number)


def format_units(units: int, asset: Asset) -> str:
    """For people: in sats or stablecoin units, thin-spaced thousands, no needless zeros."""
    text = f"{Decimal(units) / asset.units_per_coin:,f}".replace(",", "\u2009")
    return text.rstrip("0").rstrip(".") if "." in text else text
