"""Things, subscriptions to them, and how often they were flattred."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from node.ids import MemberId, ThingId
from node.month import Month
from node.store.engine import Tx


@dataclass(frozen=True, slots=True)
class Thing:
    """What can be flattred."""

    id: ThingId
    url: str
    title: str
    owner: MemberId | None
    claimed_us: int | None
    created_us: int
    released_us: int | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """A flattr that repeats: `months` months from `first` on, unless ended before."""

    id: int
    member: MemberId
    thing: ThingId
    first: Month
    months: int
    ended_us: int | None

    @property
    def last(self) -> Month:
        """The last month that it covers."""
        return self.first.plus(self.months - 1)


async def add(tx: Tx, url: str, site: str, title: str, now_us: int) -> ThingId:
    """The thing of this canonical URL, made if it was not there; it is its site's holder's."""
    number = await tx.value(
        "INSERT INTO thing (url, site, title, owner, claimed_us, created_us)"
        " SELECT CAST(:url AS text), CAST(:site AS text), CAST(:title AS text), member,"
        " CASE WHEN member IS NULL THEN NULL ELSE CAST(:now_us AS bigint) END,"
        " CAST(:now_us AS bigint)"
        " FROM (SELECT 1 AS one) AS one LEFT JOIN site_claim ON site = :site"
        " AND held_us IS NOT NULL AND ended_us IS NULL"
        " WHERE true ON CONFLICT DO NOTHING RETURNING id",
        url=url, site=site, title=title, now_us=now_us,
    )  # fmt: skip
    if number is None:
        number = await tx.value("SELECT id FROM thing WHERE url = :url", url=url)
    return ThingId(number)


async def get(tx: Tx, thing: ThingId) -> Thing | None:
    """The thing with this id."""
    row = await tx.row("SELECT * FROM thing WHERE id = :id", id=thing)
    return _thing(row) if row else None


async def by_url(tx: Tx, url: str) -> Thing | None:
    """The thing with this canonical URL."""
    row = await tx.row("SELECT * FROM thing WHERE url = :url", url=url)
    return _thing(row) if row else None


async def many(tx: Tx, things: Sequence[ThingId]) -> dict[ThingId, Thing]:
    """These things, by id."""
    rows = await tx.rows_of(
        f"SELECT thing.* FROM thing JOIN {tx.dialect.json_rows(('bigint',))} ON thing.id = c0",
        [(thing,) for thing in things],
    )
    return {ThingId(row.id): _thing(row) for row in rows}


async def by_urls(tx: Tx, urls: Sequence[str]) -> dict[str, Thing]:
    """The things with these canonical URLs, by URL."""
    rows = await tx.rows_of(
        f"SELECT thing.* FROM thing JOIN {tx.dialect.json_rows(('text',))} ON thing.url = c0",
        [(url,) for url in urls],
    )
    return {row.url: _thing(row) for row in rows}


async def of_owner(tx: Tx, owner: MemberId, after: ThingId, limit: int) -> list[Thing]:
    """A creator's things, in order of id."""
    rows = await tx.rows(
        "SELECT * FROM thing WHERE owner = :owner AND id > :after ORDER BY id LIMIT :limit",
        owner=owner, after=after, limit=limit,
    )  # fmt: skip
    return [_thing(row) for row in rows]


async def claim(tx: Tx, thing: ThingId, owner: MemberId, now_us: int) -> bool:
    """Give an unclaimed thing its owner; False if it has one."""
    sql = "UPDATE thing SET owner = :owner, claimed_us = :now_us WHERE id = :id AND owner IS NULL"
    return await tx.run(sql, owner=owner, now_us=now_us, id=thing) == 1


async def count(tx: Tx) -> int:
    """How many things there are."""
    return int(await tx.value("SELECT count(*) FROM thing"))


async def add_counts(tx: Tx, deltas: Sequence[tuple[ThingId, Month, int]]) -> None:
    """Raise or lower the counters of things, each named once."""
    source = tx.dialect.json_rows(("bigint", "bigint", "bigint"))
    await tx.run_rows(
        f"INSERT INTO thing_count (thing, month, flattrs) SELECT c0, c1, 0 FROM {source}"
        " WHERE true ON CONFLICT DO NOTHING",
        sorted((thing, month.ordinal, delta) for thing, month, delta in deltas),
    )
    await tx.run_rows(
        f"UPDATE thing_count SET flattrs = flattrs + c2 FROM {source}"
        " WHERE thing = c0 AND month = c1",
        sorted((thing, month.ordinal, delta) for thing, month, delta in deltas),
    )


async def counts_of(tx: Tx, thing: ThingId) -> dict[Month, int]:
    """How many members flattred the thing, by month, newest first."""
    rows = await tx.rows(
        "SELECT month, flattrs FROM thing_count WHERE thing = :thing AND flattrs > 0"
        " ORDER BY month DESC",
        thing=thing,
    )
    return {Month.from_ordinal(row.month): int(row.flattrs) for row in rows}


async def counts_of_many(tx: Tx, things: Sequence[ThingId]) -> dict[ThingId, dict[Month, int]]:
    """The same of many things; those that nobody flattred are left out."""
    rows = await tx.rows_of(
        "SELECT thing, month, flattrs FROM thing_count"
        f" JOIN {tx.dialect.json_rows(('bigint',))} ON thing = c0 WHERE flattrs > 0",
        [(thing,) for thing in things],
    )
    found: dict[ThingId, dict[Month, int]] = {}
    for row in rows:
        found.setdefault(ThingId(row.thing), {})[Month.from_ordinal(row.month)] = int(row.flattrs)
    return found


async def most_flattred(tx: Tx, month: Month, limit: int) -> list[tuple[Thing, int]]:
    """The things with the most flattrs in a month."""
    rows = await tx.rows(
        "SELECT thing.*, flattrs FROM thing_count JOIN thing ON thing.id = thing_count.thing"
        " WHERE month = :month AND flattrs > 0 ORDER BY flattrs DESC, thing.id LIMIT :limit",
        month=month.ordinal, limit=limit,
    )  # fmt: skip
    return [(_thing(row), int(row.flattrs)) for row in rows]


async def subscribe(
    tx: Tx, member: MemberId, thing: ThingId, first: Month, months: int, now_us: int
) -> None:
    """Start a subscription; one that starts in the same month is renewed with the new length."""
    await tx.run(
        "INSERT INTO subscription (member, thing, first_month, months, created_us)"
        " VALUES (:member, :thing, :first, :months, :now_us)"
        " ON CONFLICT (member, thing, first_month)"
        " DO UPDATE SET months = excluded.months, ended_us = NULL",
        member=member, thing=thing, first=first.ordinal, months=months, now_us=now_us,
    )  # fmt: skip


async def unsubscribe(tx: Tx, member: MemberId, thing: ThingId, now_us: int) -> int:
    """End a member's subscriptions to a thing; how many were running."""
    return await tx.run(
        "UPDATE subscription SET ended_us = :now_us"
        " WHERE member = :member AND thing = :thing AND ended_us IS NULL",
        now_us=now_us, member=member, thing=thing,
    )  # fmt: skip


async def subscriptions_of(tx: Tx, member: MemberId) -> list[Subscription]:
    """A member's subscriptions, oldest first."""
    sql = "SELECT * FROM subscription WHERE member = :member ORDER BY id"
    return [_subscription(row) for row in await tx.rows(sql, member=member)]


async def subscribed_in(
    tx: Tx, month: Month, member: MemberId | None = None
) -> list[tuple[MemberId, ThingId]]:
    """Who is subscribed to what in a month: it covers it, and did not end before its cutoff."""
    rows = await tx.rows(
        "SELECT DISTINCT member, thing FROM subscription WHERE first_month <= :month"
        " AND first_month + months > :month AND (ended_us IS NULL OR ended_us >= :cutoff_us)"
        " AND (CAST(:member AS integer) IS NULL OR member = :member) ORDER BY member, thing",
        month=month.ordinal, cutoff_us=month.ends_s * 1_000_000, member=member,
    )  # fmt: skip
    return [(MemberId(row.member), ThingId(row.thing)) for row in rows]


def _thing(row: Row[Any]) -> Thing:
    owner = None if row.owner is None else MemberId(row.owner)
    return Thing(
        ThingId(row.id), row.url, row.title, owner, row.claimed_us, row.created_us, row.released_us
    )


def _subscription(row: Row[Any]) -> Subscription:
    return Subscription(
        row.id, MemberId(row.member), ThingId(row.thing), Month.from_ordinal(row.first_month),
        row.months, row.ended_us,
    )  # fmt: skip
