"""A month with smaller pots of some readers is split anew, and what is left has owners."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import CorruptBooks
from node.settlement.limit import give_back, limit_readers, limit_things
from tests.settlement.test_month_split import Month, by_hand, months, one_person, run


def marks_of(month: Month, members: list[int]) -> np.ndarray:
    """(member, thing) of the flattrs that count, by the specification."""
    counted = by_hand(month)[1]
    pairs = [
        (member, thing)
        for member, thing in month.marks
        if member in members and thing in counted
        and not one_person(month, member, month.owner[thing])
    ]  # fmt: skip
    return np.array(sorted(pairs), np.int64).reshape(-1, 2)


@given(months(), st.data())
def test_limited_is_split_anew_with_smaller_pots(month, data):
    month = replace(month, bps=1000)
    split, (part,) = run(month)
    givers = [row[0] for row in part.readers.tolist() if row[2]]
    short = sorted(data.draw(st.sets(st.sampled_from(givers)))) if givers else []
    got = {member: data.draw(st.integers(0, month.pots[member])) for member in short}
    again, (wanted,) = run(replace(month, pots=month.pots | got))
    ours = np.isin(part.readers[:, 0], short)
    before = part.readers[ours]
    after = limit_readers(before, np.array([got[m] for m in short], np.int64), 1000)
    assert after.tolist() == wanted.readers[ours].tolist()
    left = limit_things(split.things(), before, after, marks_of(month, short))
    assert left.tolist() == again.things().tolist()


def test_the_rows_keep_their_members_and_lose_what_the_pot_has_not():
    """Members 70 and 90 and things 11 and 12: no number is another column's by chance."""
    before = np.array([[70, 100, 2, 50, 5, 0], [90, 60, 1, 60, 6, 0]])
    after = limit_readers(before, np.array([50, 20]), 1000)
    assert after.tolist() == [[70, 50, 2, 20, 2, 10], [90, 20, 1, 20, 2, 0]]
    things = np.array([[11, 9, 2, 99], [12, 9, 1, 45]])
    marks = np.array([[70, 11], [70, 12], [90, 11]])
    assert limit_things(things, before, after, marks).tolist() == [
        [11, 9, 2, 99 - 27 - 36], [12, 9, 1, 45 - 27],
    ]  # fmt: skip
    kept = limit_readers(before[:1], np.array([100]), 1000)
    nobody = np.zeros((0, 2), np.int64)
    with pytest.raises(CorruptBooks, match=r"^the flattrs of a reader are not those that were"):
        limit_things(things, before[:1], kept, nobody)


def test_a_reader_who_gave_to_nothing_takes_nothing_away():
    before = np.array([[70, 100, 0, 0, 0, 100]])
    things = np.array([[11, 9, 2, 99]])
    left = limit_things(things, before, before, np.zeros((0, 2), np.int64))
    assert left.tolist() == things.tolist()


def test_flattrs_that_are_not_those_of_the_split_are_refused():
    before = np.array([[4, 100, 2, 50, 5, 0]])
    after = limit_readers(before, np.array([50]), 1000)
    things = np.array([[1, 9, 1, 45], [2, 9, 1, 45]])
    assert limit_things(things, before, after, np.array([[4, 1], [4, 2]])).tolist() == [
        [1, 9, 1, 18], [2, 9, 1, 18],
    ]  # fmt: skip
    with pytest.raises(CorruptBooks, match="not those that were split"):
        limit_things(things, before, after, np.array([[4, 1]]))
    with pytest.raises(CorruptBooks, match=r"^a thing would lose more than it was given$"):
        limit_things(things, before, after, np.array([[4, 1], [4, 1]]))


@given(st.lists(st.integers(0, 10**6), max_size=20))
def test_of_what_goes_back_the_vault_has_a_tenth_of_the_whole_and_nobody_pays_more_than_all(dust):
    back, tenth = give_back(np.array(dust, np.int64))
    assert (back.dtype, tenth.dtype) == (np.int64, np.int64), "base units are whole"
    assert int(tenth.sum()) == sum(dust) // 10
    assert (back + tenth).tolist() == dust
    assert (back >= 0).all()
    assert (tenth >= 0).all()
