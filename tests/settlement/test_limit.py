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


def test_flattrs_that_are_not_those_of_the_split_are_refused():
    before = np.array([[4, 100, 2, 50, 5, 0]])
    after = limit_readers(before, np.array([50]), 1000)
    things = np.array([[1, 9, 1, 45], [2, 9, 1, 45]])
    assert limit_things(things, before, after, np.array([[4, 1], [4, 2]])).tolist() == [
        [1, 9, 1, 18], [2, 9, 1, 18],
    ]  # fmt: skip
    with pytest.raises(CorruptBooks, match="not those that were split"):
        limit_things(things, before, after, np.array([[4, 1]]))
    with pytest.raises(CorruptBooks, match="more than it was given"):
        limit_things(things, before, after, np.array([[4, 1], [4, 1]]))


@given(st.lists(st.integers(0, 10**6), max_size=20))
def test_of_what_goes_back_the_vault_has_a_tenth_of_the_whole_and_nobody_pays_more_than_all(dust):
    back, tenth = give_back(np.array(dust, np.int64))
    assert (back.dtype, tenth.dtype) == (np.int64, np.int64), "base units are whole"
    assert int(tenth.sum()) == sum(dust) // 10
    assert (back + tenth).tolist() == dust
    assert (back >= 0).all()
    assert (tenth >= 0).all()
