"""A whole month at once is the pure split of each pot, whatever the month looks like."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.settlement.month_split import (
    Flattrs,
    MonthSplit,
    Owners,
    Part,
    by_creator,
    digest,
    pack,
    unpack,
)
from node.settlement.split import split_pot

ALL_MONEY = 21_000_000 * 10**8 * 1000
MEMBERS, THINGS = 12, 15


@dataclass(frozen=True)
class Month:
    """A month as a person would write it: pots, who flattred what, who owns what, who is one."""

    pots: dict[int, int]
    marks: tuple[tuple[int, int], ...]
    owner: dict[int, int]
    group: dict[int, int]
    bps: int


@st.composite
def months(draw: st.DrawFn) -> Month:
    people = st.integers(1, MEMBERS)
    amount = st.one_of(st.integers(1, 50), st.integers(1, ALL_MONEY // MEMBERS))
    return Month(
        pots=draw(st.dictionaries(people, amount, min_size=1)),
        marks=tuple(draw(st.lists(st.tuples(people, st.integers(1, THINGS)), max_size=60))),
        owner=draw(st.dictionaries(st.integers(1, THINGS), people)),
        group=draw(st.dictionaries(people, st.integers(1, 3))),
        bps=draw(st.integers(0, 1000)),
    )


def run(month: Month, parts: int = 1) -> tuple[MonthSplit, list[Part]]:
    """The month by arrays, in so many parts."""
    owner = _scattered(month.owner, np.zeros(max(month.owner, default=-1) + 1, np.int64))
    first = {number: min(m for m in month.group if month.group[m] == month.group[number])
             for number in month.group}  # fmt: skip
    group = _scattered(first, np.arange(max(month.group, default=-1) + 1))
    split = MonthSplit(month.bps, Owners(owner, group), THINGS)
    members = np.array(sorted(month.pots), np.int64)
    done = []
    for some in np.array_split(members, parts):
        place = {int(member): index for index, member in enumerate(some)}
        ours = [(place[member], thing) for member, thing in month.marks if member in place]
        pairs = np.array(ours, np.int64).reshape(-1, 2)
        if len(some):
            amounts = np.array([month.pots[int(member)] for member in some], np.int64)
            done.append(split.add(some, amounts, Flattrs(pairs[:, 0], pairs[:, 1])))
    return split, done


def by_hand(month: Month) -> tuple[dict[int, tuple[int, ...]], dict[int, list[int]]]:
    """The specification: (reader's row, by reader), ([owner, flattrs, net], by thing)."""
    counted = defaultdict(list)
    for member, thing in month.marks:
        owner = month.owner.get(thing)
        if member in month.pots and owner is not None and not one_person(month, member, owner):
            counted[member].append(thing)
    readers, earned = {}, {}
    for member, pot in month.pots.items():
        split = split_pot(pot, len(counted[member]), month.bps)
        readers[member] = (pot, split.flattrs, split.share, split.commission, split.carry)
        for thing in counted[member]:
            row = earned.setdefault(thing, [month.owner[thing], 0, 0])
            row[1] += 1
            row[2] += split.net
    return readers, earned


@given(months(), st.integers(1, 4))
def test_a_month_by_arrays_is_the_month_by_hand(month, parts):
    split, done = run(month, parts)
    readers, earned = by_hand(month)
    assert {row[0]: tuple(row[1:]) for part in done for row in part.readers.tolist()} == readers
    assert {row[0]: row[1:] for row in split.things().tolist()} == earned
    assert split.pots == sum(month.pots.values())
    assert split.carried == sum(row[4] for row in readers.values())
    assert split.commission == sum(row[1] * row[3] for row in readers.values())
    assert split.flattrs == sum(row[1] for row in readers.values())
    assert split.readers == sum(row[1] > 0 for row in readers.values())


@given(months())
def test_nothing_is_lost_in_a_month(month):
    split, _ = run(month)
    net = int(split.things()[:, 3].sum())
    assert net + split.commission == split.distributed
    assert split.distributed + split.carried == split.pots
    assert split.commission * 10_000 == split.distributed * month.bps


@given(months(), st.randoms(use_true_random=False))
def test_the_order_of_the_clicks_makes_no_difference(month, random):
    shuffled = list(month.marks)
    random.shuffle(shuffled)
    one, other = run(month)[0], run(replace(month, marks=tuple(shuffled)))[0]
    assert one.things().tolist() == other.things().tolist()
    assert (one.commission, one.carried) == (other.commission, other.carried)


@given(months(), st.integers(1, MEMBERS), st.integers(1, THINGS))
def test_an_undone_flattr_was_never_there(month, member, thing):
    without = tuple(mark for mark in month.marks if mark != (member, thing))
    undone = run(replace(month, marks=without))[0]
    never = by_hand(replace(month, marks=without))[1]
    assert {row[0]: row[1:] for row in undone.things().tolist()} == never


@given(months())
def test_every_share_of_a_pot_is_the_same(month):
    _, done = run(month)
    for part in done:
        for _, pot, flattrs, share, commission, carry in part.readers.tolist():
            assert share * flattrs + carry == pot
            assert flattrs == 0 or commission * 10_000 == share * month.bps


@given(months())
def test_nobody_flattrs_into_ones_own_pocket(month):
    _, done = run(month)
    excluded = Counter(tuple(row) for part in done for row in part.excluded.tolist())
    own = Counter(
        (member, thing)
        for member, thing in month.marks
        if member in month.pots and thing in month.owner
        and one_person(month, member, month.owner[thing])
    )  # fmt: skip
    assert excluded == own


def test_a_month_without_owners_and_targets_is_all_carry():
    month = Month({1: 900, 2: 5}, ((1, 3), (2, 3)), {}, {}, 1000)
    split, _ = run(month)
    assert (split.distributed, split.carried, split.things().tolist()) == (0, 905, [])


def test_creators_get_the_sum_over_their_things():
    things = np.array([[1, 7, 2, 50], [2, 3, 1, 10], [9, 7, 1, ALL_MONEY // 2]], np.int64)
    creators, net = by_creator(things)
    assert creators.tolist() == [3, 7]
    assert net.tolist() == [10, 50 + ALL_MONEY // 2]


@given(st.lists(st.tuples(*[st.integers(0, 2**63 - 1)] * 4), max_size=20))
def test_rows_are_unpacked_as_they_were_packed(rows):
    packed = pack(np.array(rows, np.int64).reshape(-1, 4))
    assert [tuple(row) for row in unpack(packed, 4).tolist()] == rows


@pytest.mark.parametrize(
    "other",
    [
        (("close", 2), [("a", b"12"), ("b", b"3")]),
        (("close", 1), [("a", b"1"), ("b", b"23")]),
        (("close", 1), [("b", b"3"), ("a", b"12")]),
        (("close", 1), [("a", b"12")]),
        (("close1",), [("a", b"12"), ("b", b"3")]),
    ],
)
def test_another_result_has_another_name(other):
    assert digest(("close", 1), [("a", b"12"), ("b", b"3")]) != digest(*other)


def one_person(month: Month, one: int, other: int) -> bool:
    groups = (month.group.get(one, ("alone", one)), month.group.get(other, ("alone", other)))
    return groups[0] == groups[1]


def _scattered(values: dict[int, int], table: np.ndarray) -> np.ndarray:
    for place, value in values.items():
        table[place] = value
    return table


def test_a_result_is_named_as_ever():
    """The name is published, and the audit computes it again for months of long ago."""
    header = ("flattr-node close 1", "2026-11", "sat", 1000)
    assert digest(header, [("reader", b"\x01" * 8), ("thing", b"")]) == (
        "eb83dd862eb7e5d18b83b536eea6f0e5cd1aee24ec8ff74420ee9e0ddbf977b3"
    )
