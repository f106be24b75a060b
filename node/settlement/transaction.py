"""A transaction of the node's key: one call of the vault that must happen once.

             signed          mined            final, and it worked
      DUE ──────────▶ SENT ──────────▶ MINED ──────────────────────▶ DONE
       ▲               │ ▲              │ │
       │               │ └── reorged ───┘ └── final, and refused ──▶ FAILED
       └── displaced ──┤
                       └── elsewhere ──▶ DONE ── undone ──▶ DUE ◀── retried ── FAILED

It is SENT from the moment its raw bytes and its nonce are stored, which is before they are
broadcast; whatever a node answers to a broadcast is no verdict. A fee bump is another signature of
the same call under the same nonce, so at most one of them can be mined. MINED is not final: a reorg
takes it back, and the same bytes are broadcast again. DISPLACED means that another transaction of
the key has finally taken the nonce; only when the vault itself says that the call has not happened
is it signed anew. ELSEWHERE: the vault says that it has, by somebody else's hand. What FAILED has
moved nothing, finally, so it may be tried again: it is signed when the vault would take it. UNDONE:
the vault has taken back what the call did (a veto), and a person wants it done once more.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from node.errors import CorruptBooks


class TransactionState(StrEnum):
    """Where a transaction stands."""

    DUE = "due"
    SENT = "sent"
    MINED = "mined"
    DONE = "done"
    FAILED = "failed"


class TransactionEvent(StrEnum):
    """What can happen to a transaction."""

    SIGNED = "signed"
    MINED = "mined"
    REORGED = "reorged"
    DISPLACED = "displaced"
    ELSEWHERE = "elsewhere"
    FINAL = "final"
    REFUSED = "refused"
    RETRIED = "retried"
    UNDONE = "undone"


TRANSITIONS: Final[dict[tuple[TransactionState, TransactionEvent], TransactionState]] = {
    (TransactionState.DUE, TransactionEvent.SIGNED): TransactionState.SENT,
    (TransactionState.DUE, TransactionEvent.ELSEWHERE): TransactionState.DONE,
    (TransactionState.SENT, TransactionEvent.MINED): TransactionState.MINED,
    (TransactionState.SENT, TransactionEvent.DISPLACED): TransactionState.DUE,
    (TransactionState.SENT, TransactionEvent.ELSEWHERE): TransactionState.DONE,
    (TransactionState.MINED, TransactionEvent.REORGED): TransactionState.SENT,
    (TransactionState.MINED, TransactionEvent.FINAL): TransactionState.DONE,
    (TransactionState.MINED, TransactionEvent.REFUSED): TransactionState.FAILED,
    (TransactionState.FAILED, TransactionEvent.RETRIED): TransactionState.DUE,
    (TransactionState.DONE, TransactionEvent.UNDONE): TransactionState.DUE,
}


def next_state(state: TransactionState, event: TransactionEvent) -> TransactionState:
    """The state after `event`. Raises CorruptBooks where the table has no arrow."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise CorruptBooks(f"a transaction that is {state} cannot be {event}") from None
