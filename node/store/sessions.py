"""Browsers in which a member is signed in. Only the sha256 of a session's secret is stored.

A session that an API token has opened is there only as long as that token is good.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from node.ids import MemberId
from node.store.engine import Tx


@dataclass(frozen=True, slots=True)
class Session:
    """One browser. `signed_in_us`: when a wallet signed; None: the API token `token` opened it."""

    id: str
    member: MemberId
    agent: str
    created_us: int
    seen_us: int
    signed_in_us: int | None
    token: str | None = None


_GOOD = (
    "SELECT session.* FROM session LEFT JOIN token ON token.id = session.token WHERE"
    " (session.token IS NULL OR (token.revoked_us IS NULL AND token.expires_us > :now_us))"
)


async def add(tx: Tx, session: Session, hashed: str) -> None:
    """Store a session under the hash of its secret (64 hex digits)."""
    await tx.run(
        "INSERT INTO session (hash, id, member, agent, created_us, seen_us, signed_in_us, token)"
        " VALUES (:hash, :id, :member, :agent, :created_us, :seen_us, :signed_in_us, :token)",
        hash=hashed, id=session.id, member=session.member, agent=session.agent,
        created_us=session.created_us, seen_us=session.seen_us,
        signed_in_us=session.signed_in_us, token=session.token,
    )  # fmt: skip


async def by_hash(tx: Tx, hashed: str, now_us: int) -> Session | None:
    """The session whose secret has this hash, be it too old or not."""
    sql = f"{_GOOD} AND session.hash = :hash"
    row = await tx.row(sql, hash=hashed, now_us=now_us)
    return _session(row) if row else None


async def of_member(tx: Tx, member: MemberId, now_us: int) -> list[Session]:
    """A member's sessions, the one seen last first."""
    sql = f"{_GOOD} AND session.member = :member ORDER BY seen_us DESC, session.id"
    return [_session(row) for row in await tx.rows(sql, member=member, now_us=now_us)]


async def touch(tx: Tx, session: str, now_us: int) -> None:
    """A session was used now."""
    await tx.run("UPDATE session SET seen_us = :now_us WHERE id = :id", now_us=now_us, id=session)


async def end(tx: Tx, member: MemberId, session: str) -> bool:
    """End one of the member's sessions; False if there is none with this id."""
    sql = "DELETE FROM session WHERE member = :member AND id = :id"
    return await tx.run(sql, member=member, id=session) == 1


async def end_by_hash(tx: Tx, hashed: str) -> None:
    """End the session whose secret has this hash, if there is one."""
    await tx.run("DELETE FROM session WHERE hash = :hash", hash=hashed)


async def end_others(tx: Tx, member: MemberId, but: str) -> int:
    """End all of a member's sessions but the one with this id (empty: all); how many."""
    sql = "DELETE FROM session WHERE member = :member AND id <> :but"
    return await tx.run(sql, member=member, but=but)


async def forget(tx: Tx, now_us: int, seen_before_us: int, created_before_us: int) -> None:
    """Delete the sessions of everybody that are over: idle, too old, or of a token that is."""
    await tx.run("DELETE FROM session WHERE seen_us <= :us", us=seen_before_us)
    await tx.run("DELETE FROM session WHERE created_us <= :us", us=created_before_us)
    await tx.run(
        "DELETE FROM session WHERE token IN (SELECT id FROM token"
        " WHERE revoked_us IS NOT NULL OR expires_us <= :now_us)",
        now_us=now_us,
    )


def _session(row: Row[Any]) -> Session:
    return Session(
        row.id, MemberId(row.member), row.agent, row.created_us, row.seen_us, row.signed_in_us,
        row.token,
    )  # fmt: skip
