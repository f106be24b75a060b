"""What stands after some clicks: the last one on a thing decides."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from node.ids import ThingId
from node.settlement.fold import FLATTR, UNDO, PackedMonth

clicks = st.lists(
    st.tuples(st.integers(1, 5).map(ThingId), st.sampled_from([FLATTR, UNDO])), max_size=40
)


@given(clicks)
def test_the_last_click_on_a_thing_decides(made):
    row, last = PackedMonth(), dict(made)
    for thing, op in made:
        row.apply(thing, op)
    assert row.things == {thing for thing, op in last.items() if op == FLATTR}
    assert row.undone == {thing for thing, op in last.items() if op == UNDO}


@given(clicks)
def test_the_counter_is_what_stands(made):
    row, counter = PackedMonth(), Counter[ThingId]()
    for thing, op in made:
        counter[thing] += row.apply(thing, op)
        assert counter[thing] in {0, 1}
    assert {thing for thing, number in counter.items() if number} == row.things


@given(clicks, st.integers(0, 40))
def test_folding_in_turns_is_folding_at_once(made, cut):
    whole, turns = PackedMonth(), PackedMonth()
    for thing, op in made:
        whole.apply(thing, op)
    for turn in (made[:cut], made[cut:]):
        for thing, op in turn:
            turns.apply(thing, op)
    assert turns == whole


@given(clicks, st.integers(1, 5).map(ThingId))
def test_a_subscription_brings_back_nothing_that_was_undone(made, thing):
    row = PackedMonth()
    for clicked, op in made:
        row.apply(clicked, op)
    undone = thing in row.undone
    row.subscribe(thing)
    assert (thing in row.things) is not undone
    assert row.subscribe(thing) == 0, "a second firing changes nothing"
