"""Read a month out of the store and split it: part by part, so that memory stays bounded.

Readers come in order, some thousands at a time, with their flattrs of the month, and those of the
last three months on things that were claimed in this one (design.md §3.4). Nothing is written here:
a close stores the result, a dry run shows it.
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
from node.store import closes, flattrs
from node.store.engine import Tx

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
    """A part as it was read: readers in order with their pots, their flattrs, what was pending."""

    members: Units
    pots: Units
    flattrs: Flattrs
    pending: Units


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
    claimed = await closes.claimed_between(tx, month.starts_s * 1_000_000, month.ends_s * 1_000_000)
    parts: list[SplitPart] = []
    read: _ReadPart | None = None
    for start in range(0, len(members), READERS_A_PART):
        some = slice(start, start + READERS_A_PART)
        reading = _read_part(tx, month, members[some], pots[some], claimed, extra)
        if read is None:
            read = await reading
        else:  # a part is split, in another thread, while the next one is read
            part, read = await asyncio.gather(_split_part(split, read), reading)
            parts.append(part)
            progress(f"split {start} of {len(members)} pots")
    if read is not None:
        parts.append(await _split_part(split, read))
        progress(f"split {len(members)} of {len(members)} pots")
    return Result(split, parts)


async def _split_part(split: MonthSplit, read: _ReadPart) -> SplitPart:
    part = await asyncio.to_thread(split.add, read.members, read.pots, read.flattrs)
    return SplitPart(int(read.members[0]), int(read.members[-1]), part, read.pending)


async def _read_part(
    tx: Tx, month: Month, members: Units, pots: Units, claimed: Units,
    extra: list[tuple[MemberId, ThingId]],
) -> _ReadPart:  # fmt: skip
    marks = [await _marks(tx, month, members, None)]
    if extra:
        pairs = np.array(extra, np.int64)
        marks.append(_matched(members, pairs[:, 0], pairs[:, 1]))
    pending = [
        await _marks(tx, month.plus(-back), members, claimed)
        for back in range(PENDING_MONTHS, 0, -1)
        if len(claimed)
    ]
    both = [*marks, *pending]
    flat = Flattrs(
        np.concatenate([mark.reader for mark in both]), np.concatenate([m.thing for m in both])
    )
    waited = [np.stack([members[m.reader], m.thing], axis=1) for m in pending]
    pairs_pending = np.concatenate([*waited, np.zeros((0, 2), np.int64)])
    return _ReadPart(members, pots, flat, pairs_pending)


async def _marks(tx: Tx, month: Month, members: Units, only: Units | None) -> Flattrs:
    """The flattrs of these readers in a month; on the things `only`, if given."""
    found, lengths, things = await flattrs.months_between(
        tx, month, int(members[0]), int(members[-1])
    )
    place, ours = _places(members, found)
    if not ours.all():
        things, lengths = things[np.repeat(ours, lengths)], lengths[ours]
    marks = Flattrs(np.repeat(place[ours], lengths), things)
    if only is None:
        return marks
    waiting = np.isin(marks.thing, only)
    return Flattrs(marks.reader[waiting], marks.thing[waiting])


def _matched(members: Units, marker: Units, thing: Units) -> Flattrs:
    """Flattrs as places in `members`; those of others left out."""
    place, ours = _places(members, marker)
    return Flattrs(place[ours], thing[ours])


def _places(members: Units, some: Units) -> tuple[Units, NDArray[np.bool_]]:
    """(where each of `some` is in `members`, whether it is there at all)."""
    place = np.searchsorted(members, some)
    place[place == len(members)] = 0
    return place, members[place] == some
