"""How the operator signs in: one-time links, passkeys, sessions, and challenges to sign.

What a browser holds is secret; here is its sha256 alone. A link and a challenge are taken by the
statement that uses them up, so that two requests at once can't both have it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row

from node.store.engine import Tx

BY_LINK: Final = "one-time link"
"""Who is said to have acted in a session that no passkey opened."""
_SESSION: Final = (
    "SELECT operator_session.*, operator_passkey.name AS passkey_name FROM operator_session"
    " LEFT JOIN operator_passkey ON operator_passkey.id = operator_session.passkey"
    " WHERE operator_session.ended_us IS NULL"
)


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey that may sign in. `signs`: the authenticator's count of its own signatures."""

    id: str
    name: str
    public_key: bytes
    signs: int
    created_us: int
    used_us: int | None


@dataclass(frozen=True, slots=True)
class OperatorSession:
    """A browser that is signed in. `hash` names it here; `passkey` is None after a link."""

    hash: str
    id: str
    passkey: str | None
    actor: str
    agent: str
    created_us: int
    seen_us: int


async def add_link(tx: Tx, hash_: str, now_us: int, expires_us: int) -> None:
    """A new one-time link; those before it that nobody used are good no more."""
    await tx.run("DELETE FROM operator_link WHERE used_us IS NULL")
    await tx.run(
        "INSERT INTO operator_link (hash, created_us, expires_us)"
        " VALUES (:hash, :now_us, :expires_us)",
        hash=hash_, now_us=now_us, expires_us=expires_us,
    )  # fmt: skip


async def use_link(tx: Tx, hash_: str, now_us: int) -> bool:
    """Use a link up; False if there is none that is good."""
    used = await tx.run(
        "UPDATE operator_link SET used_us = :now_us WHERE hash = :hash AND used_us IS NULL"
        " AND expires_us > :now_us",
        hash=hash_, now_us=now_us,
    )  # fmt: skip
    return used == 1


async def add_passkey(tx: Tx, passkey: Passkey) -> bool:
    """A new passkey; False if its id is known already."""
    made = await tx.run(
        "INSERT INTO operator_passkey (id, name, public_key, signs, created_us)"
        " VALUES (:id, :name, :public_key, :signs, :created_us) ON CONFLICT DO NOTHING",
        id=passkey.id, name=passkey.name, public_key=passkey.public_key, signs=passkey.signs,
        created_us=passkey.created_us,
    )  # fmt: skip
    return made == 1


async def passkeys(tx: Tx) -> list[Passkey]:
    """The passkeys that may sign in, oldest first."""
    rows = await tx.rows(
        "SELECT * FROM operator_passkey WHERE ended_us IS NULL ORDER BY created_us, id"
    )
    return [
        Passkey(r.id, r.name, bytes(r.public_key), r.signs, r.created_us, r.used_us) for r in rows
    ]


async def sign_with(tx: Tx, passkey: Passkey, signs: int, now_us: int) -> bool:
    """It has signed; False if it has signed something else since it was read, or is gone."""
    used = await tx.run(
        "UPDATE operator_passkey SET signs = :signs, used_us = :now_us"
        " WHERE id = :id AND signs = :before AND ended_us IS NULL",
        id=passkey.id, signs=signs, before=passkey.signs, now_us=now_us,
    )  # fmt: skip
    return used == 1


async def end_passkey(tx: Tx, passkey: str, now_us: int) -> bool:
    """It may sign in no more, and its sessions end; False if there is none."""
    await tx.run(
        "UPDATE operator_session SET ended_us = :now_us WHERE passkey = :id AND ended_us IS NULL",
        id=passkey, now_us=now_us,
    )  # fmt: skip
    ended = await tx.run(
        "UPDATE operator_passkey SET ended_us = :now_us WHERE id = :id AND ended_us IS NULL",
        id=passkey, now_us=now_us,
    )  # fmt: skip
    return ended == 1


async def add_session(tx: Tx, session: OperatorSession) -> None:
    """A new session."""
    await tx.run(
        "INSERT INTO operator_session (hash, id, passkey, agent, created_us, seen_us)"
        " VALUES (:hash, :id, CAST(:passkey AS text), :agent, :created_us, :seen_us)",
        hash=session.hash, id=session.id, passkey=session.passkey, agent=session.agent,
        created_us=session.created_us, seen_us=session.seen_us,
    )  # fmt: skip


async def session(tx: Tx, hash_: str) -> OperatorSession | None:
    """The session that has not ended, whatever its age."""
    row = await tx.row(_SESSION + " AND hash = :hash", hash=hash_)
    return _session(row) if row else None


async def sessions(tx: Tx, since_us: int) -> list[OperatorSession]:
    """Sessions that were seen since then and have not ended, newest first."""
    rows = await tx.rows(
        _SESSION + " AND seen_us >= :since_us"
        " ORDER BY operator_session.created_us DESC, operator_session.id",
        since_us=since_us,
    )
    return [_session(row) for row in rows]


async def see(tx: Tx, hash_: str, now_us: int) -> None:
    """The session was used."""
    sql = "UPDATE operator_session SET seen_us = :now_us WHERE hash = :hash"
    await tx.run(sql, hash=hash_, now_us=now_us)


async def end_session(tx: Tx, id_: str, now_us: int) -> bool:
    """End a session by its public id; False if there is none."""
    ended = await tx.run(
        "UPDATE operator_session SET ended_us = :now_us WHERE id = :id AND ended_us IS NULL",
        id=id_, now_us=now_us,
    )  # fmt: skip
    return ended == 1


async def add_challenge(
    tx: Tx, hash_: str, purpose: str, bound: str, now_us: int, expires_us: int
) -> None:
    """Something to sign for one purpose in one browser; what has expired is forgotten."""
    await tx.run("DELETE FROM operator_challenge WHERE expires_us <= :now_us", now_us=now_us)
    await tx.run(
        "INSERT INTO operator_challenge (hash, purpose, bound, expires_us)"
        " VALUES (:hash, :purpose, :bound, :expires_us)",
        hash=hash_, purpose=purpose, bound=bound, expires_us=expires_us,
    )  # fmt: skip


async def use_challenge(tx: Tx, hash_: str, purpose: str, bound: str, now_us: int) -> bool:
    """Use a challenge up; False if there is none like this that is good."""
    used = await tx.run(
        "DELETE FROM operator_challenge WHERE hash = :hash AND purpose = :purpose"
        " AND bound = :bound AND expires_us > :now_us",
        hash=hash_, purpose=purpose, bound=bound, now_us=now_us,
    )  # fmt: skip
    return used == 1


def _session(row: Row[Any]) -> OperatorSession:
    actor = BY_LINK if row.passkey is None else row.passkey_name
    return OperatorSession(
        row.hash, row.id, row.passkey, actor, row.agent, row.created_us, row.seen_us
    )
