"""Consents: the sites on which a member flattrs with one click."""

from __future__ import annotations

from dataclasses import dataclass

from node.ids import MemberId
from node.store.engine import Tx


@dataclass(frozen=True, slots=True)
class Consent:
    """One site, and since when. `origin`: scheme, host, and the port if it is an unusual one."""

    origin: str
    since_us: int


async def add(tx: Tx, member: MemberId, origin: str, now_us: int) -> None:
    """Consent to a site; nothing changes if that was done before."""
    await tx.run(
        "INSERT INTO consent (member, origin, since_us) VALUES (:member, :origin, :now_us)"
        " ON CONFLICT DO NOTHING",
        member=member, origin=origin, now_us=now_us,
    )  # fmt: skip


async def end(tx: Tx, member: MemberId, origin: str) -> int:
    """Consent no more; how many ended, 0 or 1."""
    sql = "DELETE FROM consent WHERE member = :member AND origin = :origin"
    return await tx.run(sql, member=member, origin=origin)


async def end_all(tx: Tx, member: MemberId) -> int:
    """Consent to no site any more; how many ended."""
    return await tx.run("DELETE FROM consent WHERE member = :member", member=member)


async def has(tx: Tx, member: MemberId, origin: str) -> bool:
    """Whether the member has consented to this site."""
    sql = "SELECT 1 FROM consent WHERE member = :member AND origin = :origin"
    return await tx.row(sql, member=member, origin=origin) is not None


async def of_member(tx: Tx, member: MemberId) -> list[Consent]:
    """All of a member's, by site."""
    sql = "SELECT origin, since_us FROM consent WHERE member = :member ORDER BY origin"
    return [Consent(row.origin, row.since_us) for row in await tx.rows(sql, member=member)]
