"""Read a month out of the store and split it: part by part, so that memory stays bounded.

Readers come in order, some thousands at a time, with their flattrs of the month, and those of the
last three months on things that were claimed in this one (design.md §3.4); not of a month at whose
end a thing had an owner, who has left since: those were split then. Nothing is written here: a
close stores the result, a dry run shows it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from node.ids import MemberId, ThingId
from node.money import Asset
from node.month import Month
from node.settlement.month_split import Flattrs, MonthSplit, Part
from node.store import closes, flattrs, leaving
from node.store.engine import Tx
from node.store.flattrs import PackedReaders

READERS_A_PART: Final = 4096
PENDING_MONTHS: Final = 3

Units: TypeAlias = NDArray[np.int64]
Progress: TypeAlias = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class SplitPart:
    """A part as the store keeps it: its range of members, its result, its pending flattrs."""

    first: int
    last: int
    part: Part
    pending: Units


@dataclass(frozen=True, slots=True)
class _ReadPart:
    """A part as it was read: readers in order, their pots, their packed months, oldest first."""

    members: Units
    pots: Units
    pending: list[PackedReaders]
    month: PackedReaders


@dataclass(frozen=True, slots=True)
class Result:
    """A month, split."""

    split: MonthSplit
    parts: list[SplitPart]


async def split_month(
    tx: Tx, month: Month, asset: Asset, commission_bps: int,
    extra: list[tuple[MemberId, ThingId]], progress: Progress,
) -> Result:  # fmt: skip
    """Split the month's pots. `extra`: flattrs that are not in the packed rows (a dry run's)."""
    members, pots = await closes.pots(tx, month, asset)
    owners = await closes.owners(tx, month.ends_s * 1_000_000, asset)
    split = MonthSplit(commission_bps, owners, await closes.things_max(tx))
    claimed = await _claimed(tx, month)
    more = np.array(extra, np.int64).reshape(-1, 2)
    parts: list[SplitPart] = []
    read: _ReadPart | None = None
    for start in range(0, len(members), READERS_A_PART):
        some = slice(start, start + READERS_A_PART)
        waited = any(map(len, claimed))
        reading = _read_part(tx, month, members[some], pots[some], waited=waited)
        if read is None:
            read = await reading
        else:  # a part is split, in another thread, while the next one is read
            splitting = asyncio.to_thread(_split_part, split, read, claimed, more)
            part, read = await asyncio.gather(splitting, reading)
            parts.append(part)
            progress(f"split {start} of {len(members)} pots")
    if read is not None:
        parts.append(await asyncio.to_thread(_split_part, split, read, claimed, more))
        progress(f"split {len(members)} of {len(members)} pots")
    return Result(split, parts)


async def _claimed(tx: Tx, month: Month) -> list[Units]:
    """Things claimed in this month whose flattrs wait, of each pending month, oldest first."""
    span = (month.starts_s * 1_000_000, month.ends_s * 1_000_000)
    claimed = await closes.claimed_between(tx, *span)
    things, released_us = await leaving.released_and_claimed(tx, *span)
    months = [month.plus(-back) for back in range(PENDING_MONTHS, 0, -1)]
    return [
        claimed[~np.isin(claimed, things[released_us >= one.ends_s * 1_000_000])] for one in months
    ]


async def _read_part(
    tx: Tx, month: Month, members: Units, pots: Units, *, waited: bool
) -> _ReadPart:
    first, last = int(members[0]), int(members[-1])
    pending = [
        await flattrs.months_between(tx, month.plus(-back), first, last)
        for back in range(PENDING_MONTHS, 0, -1)
        if waited
    ]
    packed = await flattrs.months_between(tx, month, first, last)
    return _ReadPart(members, pots, pending, packed)


def _split_part(
    split: MonthSplit, read: _ReadPart, claimed: list[Units], extra: Units
) -> SplitPart:
    """Split a part's pots over its flattrs, what waited for a thing's claim, and `extra`."""
    members = read.members
    pending = [
        _on(waiting, _marks(members, packed))
        for waiting, packed in zip(claimed, read.pending, strict=False)
    ]
    marks = _marks(members, read.month)
    if more := [*pending, _matched(members, extra[:, 0], extra[:, 1])] if len(extra) else pending:
        marks = Flattrs(
            np.concatenate([marks.reader, *(some.reader for some in more)]),
            np.concatenate([marks.thing, *(some.thing for some in more)]),
        )
    waited = [np.stack([members[m.reader], m.thing], axis=1) for m in pending]
    pairs = np.concatenate([*waited, np.zeros((0, 2), np.int64)])
    part = split.add(members, read.pots, marks)
    return SplitPart(int(members[0]), int(members[-1]), part, pairs)


def _marks(members: Units, packed: PackedReaders) -> Flattrs:
    """The flattrs in packed rows, as places in `members`; those of others left out."""
    place, ours = _places(members, packed.members)
    lengths, things = packed.lengths, packed.things
    if not ours.all():
        things, lengths = things[np.repeat(ours, lengths)], lengths[ours]
    return Flattrs(np.repeat(place[ours], lengths), things)


def _on(things: Units, marks: Flattrs) -> Flattrs:
    return marks.only(np.isin(marks.thing, things))


def _matched(members: Units, marker: Units, thing: Units) -> Flattrs:
    """Flattrs as places in `members`; those of others left out."""
    place, ours = _places(members, marker)
    return Flattrs(place[ours], thing[ours])


def _places(members: Units, some: Units) -> tuple[Units, NDArray[np.bool_]]:
    """(where each of `some` is in `members`, whether it is there at all)."""
    place = np.searchsorted(members, some)
    place[place == len(members)] = 0
    return place, members[place] == some
