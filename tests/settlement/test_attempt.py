"""The table of an attempt: every state with every event, and nothing that is not in the table."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from node.errors import CorruptBooks
from node.ids import AttemptId, PayoutId
from node.money import msat
from node.settlement.attempt import (
    TRANSITIONS,
    Attempt,
    AttemptEvent,
    AttemptState,
    next_state,
    sent,
)

S, E = AttemptState, AttemptEvent
ARROWS = {
    (S.READY, E.SEND, S.SENT), (S.READY, E.REFUSED, S.DEAD), (S.READY, E.SETTLED, S.SETTLED),
    (S.SENT, E.SEND, S.SENT), (S.SENT, E.SETTLED, S.SETTLED), (S.SENT, E.REFUSED, S.DEAD),
    (S.SENT, E.LOST, S.LIMBO), (S.LIMBO, E.SETTLED, S.SETTLED), (S.LIMBO, E.FOUND, S.SENT),
    (S.LIMBO, E.PROVED, S.DEAD), (S.DEAD, E.REVIVED, S.READY),
    (S.DEAD, E.LOST, S.LIMBO), (S.DEAD, E.SETTLED, S.SETTLED),
}  # fmt: skip
"""Written out a second time on purpose: a slip in the table must not pass its own test."""


@pytest.mark.parametrize(("state", "event"), list(product(S, E)))
def test_every_state_with_every_event(state, event):
    after = {to for before, what, to in ARROWS if (before, what) == (state, event)}
    if after:
        assert {next_state(state, event)} == after
    else:
        with pytest.raises(CorruptBooks, match=f"an attempt that is {state} cannot be {event}"):
            next_state(state, event)


def test_what_is_settled_never_moves_again():
    assert not [arrow for arrow in TRANSITIONS if arrow[0] is S.SETTLED]


def test_whatever_it_was_called_a_payment_that_arrived_is_settled():
    for state in set(S) - {S.SETTLED}:
        assert next_state(state, E.SETTLED) is S.SETTLED


def test_the_first_time_that_it_was_sent_counts():
    fresh = Attempt(
        AttemptId("a"), "fake", 1, (PayoutId("p"),), "hash", "message", msat(9), msat(1), None, "us"
    )
    once = sent(fresh, 1000)
    assert (once.state, once.sent_s) == (S.SENT, 1000)
    assert sent(once, 2000) == once
    with pytest.raises(CorruptBooks):
        sent(replace(once, state=S.SETTLED), 3000)


def test_limbo_is_left_only_by_what_the_network_shows_or_two_people_prove():
    events = {event for state, event in TRANSITIONS if state is S.LIMBO}
    assert events == {E.SETTLED, E.FOUND, E.PROVED}


def test_every_state_can_be_reached_and_every_event_happens():
    assert {S.READY} | set(TRANSITIONS.values()) == set(S)
    assert {event for _, event in TRANSITIONS} == set(E)
