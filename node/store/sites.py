"""Whole sites that members claim: who asked, whose proof was seen, who holds which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from node.ids import MemberId
from node.month import Month
from node.store.engine import Tx


@dataclass(frozen=True, slots=True)
class SiteClaim:
    """One member's claim of one site. `held_us`: it is the member's since then."""

    id: int
    site: str
    member: MemberId
    asked_us: int
    seen_us: int | None
    """Since when the proof was seen at each look; None: it was not, at the last one."""
    method: str | None
    held_us: int | None
    ended_us: int | None

    @property
    def held(self) -> bool:
        """Whether the site is the member's now."""
        return self.held_us is not None and self.ended_us is None


@dataclass(frozen=True, slots=True)
class SiteFigures:
    """What there is under a site."""

    things: int
    owned: int
    """Of these the claimer's own."""
    waiting: int
    """Flattrs on those that nobody owns."""


async def fence(tx: Tx, site: str, *, exclusive: bool) -> None:
    """Hold off claims of a site (shared), or all new things of it (exclusive)."""
    if sql := tx.dialect.site_fence(exclusive=exclusive):
        await tx.run(sql, site=site)


async def ask(tx: Tx, site: str, member: MemberId, now_us: int) -> None:
    """Begin a claim, unless the member has one of this site."""
    await tx.run(
        "INSERT INTO site_claim (site, member, asked_us) VALUES (:site, :member, :now_us)"
        " ON CONFLICT DO NOTHING",
        site=site, member=member, now_us=now_us,
    )  # fmt: skip


async def get(tx: Tx, claim: int) -> SiteClaim | None:
    """The claim with this id."""
    row = await tx.row(f"SELECT * FROM site_claim WHERE id = :id{tx.for_update}", id=claim)
    return _claim(row) if row else None


async def of_member(tx: Tx, member: MemberId) -> list[SiteClaim]:
    """A member's claims that have not ended, by site."""
    sql = "SELECT * FROM site_claim WHERE member = :member AND ended_us IS NULL ORDER BY site"
    return [_claim(row) for row in await tx.rows(sql, member=member)]


async def holder(tx: Tx, site: str) -> SiteClaim | None:
    """The claim by which a site is held now."""
    row = await tx.row(
        "SELECT * FROM site_claim WHERE site = :site AND held_us IS NOT NULL"
        f" AND ended_us IS NULL{tx.for_update}",
        site=site,
    )
    return _claim(row) if row else None


async def note_seen(tx: Tx, claim: int, seen_us: int | None, method: str | None) -> None:
    """Since when a claim's proof is seen, and how; None: it is not there any more."""
    await tx.run(
        "UPDATE site_claim SET seen_us = :seen_us, method = :method WHERE id = :id",
        seen_us=seen_us, method=method, id=claim,
    )  # fmt: skip


async def note_others_unseen(tx: Tx, claim: SiteClaim) -> int:
    """Who waits for a site that its holder has proved again waits from the start."""
    return await tx.run(
        "UPDATE site_claim SET seen_us = NULL, method = NULL WHERE site = :site AND id <> :id"
        " AND ended_us IS NULL AND seen_us IS NOT NULL",
        site=claim.site, id=claim.id,
    )  # fmt: skip


async def hold(tx: Tx, claim: int, now_us: int) -> None:
    """From now on the site is the claimer's."""
    await tx.run("UPDATE site_claim SET held_us = :now_us WHERE id = :id", now_us=now_us, id=claim)


async def end(tx: Tx, claim: int, now_us: int) -> None:
    """A claim ends; what it has given stays with its owner."""
    await tx.run("UPDATE site_claim SET ended_us = :now_us WHERE id = :id", now_us=now_us, id=claim)


async def give_things(tx: Tx, site: str, owner: MemberId, now_us: int) -> int:
    """Give a site's things that nobody owns their owner; how many there were."""
    return await tx.run(
        "UPDATE thing SET owner = :owner, claimed_us = :now_us"
        " WHERE site = :site AND owner IS NULL",
        owner=owner, now_us=now_us, site=site,
    )  # fmt: skip


async def figures(
    tx: Tx, member: MemberId, since: Month, site: str | None = None
) -> dict[str, SiteFigures]:
    """What there is under each site that a member claims, or under one of them.

    What waits is counted from a month on.
    """
    rows = await tx.rows(
        "SELECT thing.site, count(DISTINCT thing.id) AS things,"
        " count(DISTINCT CASE WHEN thing.owner = :member THEN thing.id END) AS owned,"
        " coalesce(sum(CASE WHEN thing.owner IS NULL AND month >= :since THEN flattrs END), 0)"
        " AS waiting FROM site_claim JOIN thing ON thing.site = site_claim.site"
        " LEFT JOIN thing_count ON thing_count.thing = thing.id"
        " WHERE site_claim.member = :member AND ended_us IS NULL"
        " AND (CAST(:site AS text) IS NULL OR site_claim.site = :site) GROUP BY thing.site",
        member=member, since=since.ordinal, site=site,
    )  # fmt: skip
    return {
        row.site: SiteFigures(int(row.things), int(row.owned), int(row.waiting)) for row in rows
    }


def _claim(row: Row[Any]) -> SiteClaim:
    return SiteClaim(
        row.id, row.site, MemberId(row.member), row.asked_us, row.seen_us, row.method,
        row.held_us, row.ended_us,
    )  # fmt: skip
