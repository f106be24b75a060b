"""The table of a payout: every state with every event, and nothing that is not in the table."""

from __future__ import annotations

from itertools import product

import pytest

from node.errors import CorruptBooks
from node.settlement.payout import (
    NEEDS_A_PERSON,
    TRANSITIONS,
    HeldReason,
    PayoutEvent,
    PayoutState,
    next_state,
)

S, E = PayoutState, PayoutEvent
ARROWS = {
    (S.DUE, E.STORED, S.IN_FLIGHT), (S.DUE, E.HELD, S.HELD), (S.DUE, E.RETURNED, S.RETURNED),
    (S.DUE, E.SETTLED, S.PAID), (S.IN_FLIGHT, E.SETTLED, S.PAID), (S.IN_FLIGHT, E.REFUSED, S.DUE),
    (S.HELD, E.RELEASED, S.DUE), (S.HELD, E.SETTLED, S.PAID),
}  # fmt: skip
"""Written out a second time on purpose: a slip in the table must not pass its own test."""


@pytest.mark.parametrize(("state", "event"), list(product(S, E)))
def test_every_state_with_every_event(state, event):
    after = {to for before, what, to in ARROWS if (before, what) == (state, event)}
    if after:
        assert {next_state(state, event)} == after
    else:
        with pytest.raises(CorruptBooks, match=f"a payout that is {state} cannot be {event}"):
            next_state(state, event)


@pytest.mark.parametrize("state", [S.PAID, S.RETURNED])
def test_what_is_paid_or_returned_never_moves_again(state):
    assert not [arrow for arrow in TRANSITIONS if arrow[0] is state]


def test_a_payout_in_flight_only_leaves_by_the_rails_verdict():
    events = {event for state, event in TRANSITIONS if state is S.IN_FLIGHT}
    assert events == {E.SETTLED, E.REFUSED}


def test_only_a_payout_that_is_due_can_be_tried():
    assert [state for state, event in TRANSITIONS if event is E.STORED] == [S.DUE]


def test_every_state_can_be_reached_and_every_event_happens():
    assert {S.DUE} | set(TRANSITIONS.values()) == set(S)
    assert {event for _, event in TRANSITIONS} == set(E)


def test_a_reason_is_a_sentence_for_people():
    assert set(HeldReason) >= NEEDS_A_PERSON
    assert all(len(reason.split()) > 3 for reason in HeldReason)
