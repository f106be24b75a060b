"""A rail: a way to pay. One interface, one test suite for all of them.

`check` is the only judge of what happened. It has three answers and no fourth: an exception, a
timeout or a lost connection is not an answer, and leaves the attempt as it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from node.ids import PayoutId
from node.money import Amount, Asset
from node.settlement.attempt import Attempt
from node.settlement.payout import Payout


@dataclass(frozen=True, slots=True)
class Settled:
    """The receiver has the money, and `proof` shows it (a preimage in hex, a transaction)."""

    paid: Amount
    fee: Amount
    proof: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The rail itself has proved that this attempt will never pay.

    `retry`: whether the payout should be tried again later by itself.
    """

    reason: str
    retry: bool = True


@dataclass(frozen=True, slots=True)
class Pending:
    """Not known yet. `seen`: the network shows the payment."""

    reason: str
    seen: bool = False
    send_again: bool = False
    """The network does not show it: the same message may safely be sent again."""
    limbo: bool = False
    """Neither finished nor denied, and waiting will not help: a person must look."""


Outcome: TypeAlias = Settled | Refused | Pending


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a rail can pay out now, and why not more."""

    ready: bool
    spendable: Amount
    words: str


class Rail(Protocol):
    """Implemented by the fake, Lightning and the stablecoin."""

    name: str
    asset: Asset
    payouts_per_attempt_max: int
    attempts_in_flight_max: int

    async def capacity(self) -> Capacity:
        """What can be sent now. Raises RailUnavailable."""
        ...

    async def prepare(self, payouts: Sequence[Payout], number: int) -> Attempt:
        """Get everything that is needed to pay, and move nothing.

        Raises QuoteRefused (the receiver's fault), RailUnavailable.
        """
        ...

    async def send(self, attempt: Attempt) -> None:
        """Send it; idempotent by attempt. Returning, or raising RailError, says nothing."""
        ...

    async def check(self, attempt: Attempt) -> Mapping[PayoutId, Outcome]:
        """Say what became of it. Raises RailUnavailable."""
        ...
