"""A payout: what one receiver is due in one asset, once, and the states it goes through.

          stored            settled
    DUE ─────────▶ IN_FLIGHT ───────▶ PAID
     ▲ ◀──────────────┘  refused       ▲
     │ released                        │ settled (late: an attempt that was called dead)
    HELD ◀── held ── DUE ──────────────┘
                      └── returned ──▶ RETURNED        (withdrawals only)

It is IN_FLIGHT from the moment its attempt is stored, which is before anything is sent. Nobody else
compares or assigns a state: `next_state` is the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from node.errors import CorruptBooks
from node.ids import MemberId, PayoutId
from node.money import Amount
from node.month import Month


class PayoutState(StrEnum):
    """Where a payout stands."""

    DUE = "due"
    IN_FLIGHT = "in_flight"
    PAID = "paid"
    HELD = "held"
    RETURNED = "returned"


class PayoutEvent(StrEnum):
    """What can happen to a payout."""

    STORED = "stored"
    """An attempt to pay it was stored; it may be sent from now on."""
    SETTLED = "settled"
    """The rail proved that the receiver has the money."""
    REFUSED = "refused"
    """The rail proved that the attempt will never pay."""
    HELD = "held"
    """Nothing can be tried before a person or a later month changes something."""
    RELEASED = "released"
    """What it was held for is gone."""
    RETURNED = "returned"
    """A withdrawal that can't be paid went back to the member's available money."""


class PayoutKind(StrEnum):
    """Whom a payout is for, and so which account it is taken from."""

    CREATOR = "creator"
    COMMISSION = "commission"
    WITHDRAWAL = "withdrawal"


class HeldReason(StrEnum):
    """Why a payout waits. The words are for people, in every face of the node."""

    NO_TARGET = "no payout target is set"
    TARGET_CHANGED = "the payout target was changed less than 72 hours ago"
    NO_ROUTE = "no route was found for seven days; set another target or ask for a retry"
    SUSPENDED = "the member is suspended"
    FAULT = "preparing it failed again and again by a fault of the node: see its log"


NEEDS_A_PERSON: Final = frozenset({HeldReason.NO_ROUTE, HeldReason.FAULT})
"""Reasons that only another target or a person's word takes away."""

TRANSITIONS: Final[dict[tuple[PayoutState, PayoutEvent], PayoutState]] = {
    (PayoutState.DUE, PayoutEvent.STORED): PayoutState.IN_FLIGHT,
    (PayoutState.DUE, PayoutEvent.HELD): PayoutState.HELD,
    (PayoutState.DUE, PayoutEvent.RETURNED): PayoutState.RETURNED,
    (PayoutState.DUE, PayoutEvent.SETTLED): PayoutState.PAID,
    (PayoutState.IN_FLIGHT, PayoutEvent.SETTLED): PayoutState.PAID,
    (PayoutState.IN_FLIGHT, PayoutEvent.REFUSED): PayoutState.DUE,
    (PayoutState.HELD, PayoutEvent.RELEASED): PayoutState.DUE,
    (PayoutState.HELD, PayoutEvent.SETTLED): PayoutState.PAID,
}


def next_state(state: PayoutState, event: PayoutEvent) -> PayoutState:
    """The state after `event`. Raises CorruptBooks where the table has no arrow."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise CorruptBooks(f"a payout that is {state} cannot be {event}") from None


@dataclass(frozen=True, slots=True)
class Payout:
    """What one receiver is due. `amount` is exact; the fee comes on top of it."""

    id: PayoutId
    kind: PayoutKind
    member: MemberId
    amount: Amount
    fee_limit: Amount
    target: str | None
    month: Month | None = None
    state: PayoutState = PayoutState.DUE
    reason: str | None = None
    tries: int = 0
    next_try_s: int = 0
