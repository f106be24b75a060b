"""The table of a transaction: every state with every event, and nothing that is not in it."""

from itertools import product

import pytest

from node.errors import CorruptBooks
from node.settlement.transaction import (
    TRANSITIONS,
    TransactionEvent,
    TransactionState,
    next_state,
)

S, E = TransactionState, TransactionEvent
ARROWS = {
    (S.DUE, E.SIGNED, S.SENT), (S.DUE, E.ELSEWHERE, S.DONE), (S.SENT, E.MINED, S.MINED),
    (S.SENT, E.DISPLACED, S.DUE), (S.SENT, E.ELSEWHERE, S.DONE), (S.MINED, E.REORGED, S.SENT),
    (S.MINED, E.FINAL, S.DONE), (S.MINED, E.REFUSED, S.FAILED),
    (S.FAILED, E.RETRIED, S.DUE), (S.DONE, E.UNDONE, S.DUE),
}  # fmt: skip
"""Written out a second time on purpose: a slip in the table must not pass its own test."""


@pytest.mark.parametrize(("state", "event"), list(product(S, E)))
def test_every_state_with_every_event(state, event):
    after = {to for before, what, to in ARROWS if (before, what) == (state, event)}
    if after:
        assert {next_state(state, event)} == after
    else:
        with pytest.raises(CorruptBooks, match=f"a transaction that is {state} cannot be {event}"):
            next_state(state, event)


def test_what_is_final_begins_anew_or_stays():
    ends = {S.DONE, S.FAILED}
    assert {to for (before, _), to in TRANSITIONS.items() if before in ends} == {S.DUE}


def test_only_a_mined_transaction_is_judged_by_its_receipt():
    judged = {state for state, event in TRANSITIONS if event in {E.FINAL, E.REFUSED, E.REORGED}}
    assert judged == {S.MINED}


def test_every_state_can_be_reached_and_every_event_happens():
    assert {S.DUE} | set(TRANSITIONS.values()) == set(S)
    assert {event for _, event in TRANSITIONS} == set(E)
