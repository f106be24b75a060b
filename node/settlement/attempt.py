"""An attempt: one try to pay, and the states it goes through.

            send          settled
    READY ───────▶ SENT ───────────▶ SETTLED
      │ refused     │ ▲ ╲ lost          ▲ ▲
      ▼             │ │  ╲──▶ LIMBO ────┘ │ settled (late)
    DEAD ◀──────────┘ └── found ─┘ │      │
      │  ◀──────────── proved ─────┘      │
      ├── revived (same hash) ─▶ READY    │
      ├── lost (open again) ─▶ LIMBO      │
      └───────────────────────────────────┘

READY is prepared and judged. It is stored as SENT, for what may be sent at any moment counts as
sent in every decision about money. (A READY one on disk is an older node's. It differs in one
thing: when its invoice expires, it is known to be dead without asking anybody.) LIMBO is a payment
that the network neither finished nor denies: it waits for a person, and never for a second invoice.
A dead one that the network keeps open again is one, too.
The facts behind each arrow are measured (design.md §6): a FAILED is believed after two reads 30 s
apart; NOT_FOUND is no verdict.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from node.errors import CorruptBooks
from node.ids import AttemptId, PayoutId
from node.money import Amount


class AttemptState(StrEnum):
    """Where an attempt stands."""

    READY = "ready"
    SENT = "sent"
    SETTLED = "settled"
    DEAD = "dead"
    LIMBO = "limbo"


class AttemptEvent(StrEnum):
    """What can happen to an attempt."""

    SEND = "send"
    SETTLED = "settled"
    REFUSED = "refused"
    LOST = "lost"
    """The network has forgotten a payment that it had, or keeps it open with nothing behind it."""
    FOUND = "found"
    """It shows the payment again."""
    PROVED = "proved"
    """Two people have proved that it will never pay (reliability rule 7.6)."""
    REVIVED = "revived"
    """The same payment hash is tried again; the network pays a hash once."""


TRANSITIONS: Final[dict[tuple[AttemptState, AttemptEvent], AttemptState]] = {
    (AttemptState.READY, AttemptEvent.SEND): AttemptState.SENT,
    (AttemptState.READY, AttemptEvent.REFUSED): AttemptState.DEAD,
    (AttemptState.READY, AttemptEvent.SETTLED): AttemptState.SETTLED,
    (AttemptState.SENT, AttemptEvent.SEND): AttemptState.SENT,
    (AttemptState.SENT, AttemptEvent.SETTLED): AttemptState.SETTLED,
    (AttemptState.SENT, AttemptEvent.REFUSED): AttemptState.DEAD,
    (AttemptState.SENT, AttemptEvent.LOST): AttemptState.LIMBO,
    (AttemptState.LIMBO, AttemptEvent.SETTLED): AttemptState.SETTLED,
    (AttemptState.LIMBO, AttemptEvent.FOUND): AttemptState.SENT,
    (AttemptState.LIMBO, AttemptEvent.PROVED): AttemptState.DEAD,
    (AttemptState.DEAD, AttemptEvent.REVIVED): AttemptState.READY,
    (AttemptState.DEAD, AttemptEvent.LOST): AttemptState.LIMBO,
    (AttemptState.DEAD, AttemptEvent.SETTLED): AttemptState.SETTLED,
}


def next_state(state: AttemptState, event: AttemptEvent) -> AttemptState:
    """The state after `event`. Raises CorruptBooks where the table has no arrow."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise CorruptBooks(f"an attempt that is {state} cannot be {event}") from None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to pay `payouts` over `rail`.

    `reference` is what the network knows it by and pays once: a payment hash (64 hex digits) on
    Lightning. `message` is what is sent, whole, so that it can be sent again byte by byte: a BOLT11
    invoice, or `keysend:<pubkey>`. `sender` is the identity of the wallet that sends it.
    """

    id: AttemptId
    rail: str
    number: int
    payouts: tuple[PayoutId, ...]
    reference: str
    message: str
    amount: Amount
    fee_limit: Amount
    expires_s: int | None
    sender: str
    state: AttemptState = AttemptState.READY
    seen: bool = False
    """The network has shown this payment at least once."""
    sent_s: int | None = None


def sent(attempt: Attempt, now_s: int) -> Attempt:
    """The attempt as it is when it is sent: the first time counts."""
    state = next_state(attempt.state, AttemptEvent.SEND)
    return replace(attempt, state=state, sent_s=attempt.sent_s or now_s)
