"""How often things were flattred, as everybody may see it: by day, by creator, the most of all.

`thing_count` has a row for each thing and month, and is for ever (`things.py`). `thing_day` has the
last days only, by which day a click was folded; what is older is deleted by the fold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row

from node.ids import MemberId, ThingId
from node.month import Month
from node.store.engine import Tx
from node.store.things import Thing

MOST: Final = 2**31 - 1
"""Before the first of a list that begins with what was flattred most."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A thing and its counters. `lately`: in the month, or the days, that were asked for."""

    thing: Thing
    flattrs: int
    lately: int


@dataclass(frozen=True, slots=True)
class CreatorCount:
    """What the things of one creator come to."""

    things: int
    flattrs: int
    lately: int


async def add_days(tx: Tx, deltas: Sequence[tuple[ThingId, int]], day: int) -> None:
    """Raise or lower the counters of a day; each thing is in `deltas` once."""
    source = tx.dialect.json_rows(("bigint", "bigint"))
    await tx.run_rows(
        "INSERT INTO thing_day (day, thing, flattrs)"
        f" SELECT CAST(:day AS integer), c0, c1 FROM {source} WHERE true"
        " ON CONFLICT (day, thing) DO UPDATE SET flattrs = thing_day.flattrs + excluded.flattrs",
        sorted(deltas),
        day=day,
    )


async def forget_days(tx: Tx, before: int) -> None:
    """Delete the counters of the days before this one."""
    await tx.run("DELETE FROM thing_day WHERE day < :before", before=before)


async def most_since(tx: Tx, day: int, limit: int) -> list[tuple[Thing, int]]:
    """The things that were flattred most from this day on."""
    rows = await tx.rows(
        "SELECT thing.*, lately FROM (SELECT thing, sum(flattrs) AS lately FROM thing_day"
        " WHERE day >= :day GROUP BY thing HAVING sum(flattrs) > 0"
        " ORDER BY lately DESC, thing LIMIT :limit) AS most JOIN thing ON thing.id = most.thing"
        " ORDER BY lately DESC, thing.id",
        day=day, limit=limit,
    )  # fmt: skip
    return [(_thing(row), int(row.lately)) for row in rows]


async def of_creator(tx: Tx, owner: MemberId, month: Month) -> CreatorCount:
    """All that a member owns, in numbers."""
    row = await tx.row(
        "SELECT count(DISTINCT thing.id) AS things, coalesce(sum(flattrs), 0) AS flattrs,"
        " coalesce(sum(CASE WHEN month = :month THEN flattrs END), 0) AS lately"
        " FROM thing LEFT JOIN thing_count ON thing_count.thing = thing.id WHERE owner = :owner",
        owner=owner, month=month.ordinal,
    )  # fmt: skip
    assert row is not None, "an aggregate has one row"
    return CreatorCount(int(row.things), int(row.flattrs), int(row.lately))


async def of_creator_on(tx: Tx, owner: MemberId, day: int) -> int:
    """How often a member's things were flattred on a day, less what was taken back on it."""
    found = await tx.value(
        "SELECT coalesce(sum(flattrs), 0) FROM thing_day JOIN thing ON thing.id = thing_day.thing"
        " WHERE day = :day AND owner = :owner",
        day=day, owner=owner,
    )  # fmt: skip
    return int(found)


async def things_of_creator(
    tx: Tx, owner: MemberId, month: Month, limit: int, after: tuple[int, ThingId]
) -> list[Counted]:
    """A page of a member's things, the most flattred first; after (flattrs, id) of the last one."""
    rows = await tx.rows(
        "SELECT * FROM (SELECT thing.id, url, title, owner, claimed_us, created_us,"
        " coalesce(sum(flattrs), 0) AS flattrs,"
        " coalesce(sum(CASE WHEN month = :month THEN flattrs END), 0) AS lately"
        " FROM thing LEFT JOIN thing_count ON thing_count.thing = thing.id WHERE owner = :owner"
        " GROUP BY thing.id) AS counted"
        " WHERE flattrs < :flattrs OR (flattrs = :flattrs AND id > :id)"
        " ORDER BY flattrs DESC, id LIMIT :limit",
        owner=owner, month=month.ordinal, flattrs=after[0], id=after[1], limit=limit,
    )  # fmt: skip
    return [Counted(_thing(row), int(row.flattrs), int(row.lately)) for row in rows]


async def newest_of_creator(tx: Tx, owner: MemberId, limit: int) -> list[Thing]:
    """A member's things, those that were made last first."""
    rows = await tx.rows(
        "SELECT * FROM thing WHERE owner = :owner ORDER BY created_us DESC, id DESC LIMIT :limit",
        owner=owner, limit=limit,
    )  # fmt: skip
    return [_thing(row) for row in rows]


def _thing(row: Row[Any]) -> Thing:
    owner = None if row.owner is None else MemberId(row.owner)
    return Thing(ThingId(row.id), row.url, row.title, owner, row.claimed_us, row.created_us)
