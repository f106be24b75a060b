"""Sessions: the browsers in which a member is signed in.

    open_session ──▶ alive ── idle for IDLE_S, older than LIFE_S, ended, its token revoked ──▶ over
                       │
                       └─ fresh for FRESH_S after a wallet signed; never, if opened by a token

A secret is 256 random bits, kept by the browser; the store has its sha256, so it is looked up and
never compared. Signing in always makes a new session and ends the one that the browser had: a
secret that was planted or copied before is worth nothing after it.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Final

from node.clock import Clock
from node.errors import NotFound
from node.ids import MemberId
from node.store import sessions
from node.store.engine import Store, Tx
from node.store.sessions import Session

IDLE_S: Final = 12 * 3600
LIFE_S: Final = 14 * 86_400
FRESH_S: Final = 600
"""How long after signing in a member may change what money depends on."""
TOUCH_S: Final = 300
"""A session that was seen within this time is not written again."""
SESSIONS_MAX: Final = 20
"""A member's sessions; one more ends the one that was seen least lately."""
AGENT_CHARS_MAX: Final = 120
SECRET_CHARS: Final = 43
_SECOND_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session just made. `secret` is the cookie's value; it is not stored."""

    secret: str
    session: Session


async def open_session(
    store: Store, clock: Clock, member: MemberId, agent: str, *, token: str | None = None,
    replaces: str | None = None,
) -> NewSession:  # fmt: skip
    """Sign a member in: a new session, in place of the one with the secret `replaces`.

    `agent` is what the browser calls itself; `token` is the id of the API token that opens it, if
    it is not a wallet.
    """
    async with store.write() as tx:
        return await open_in(tx, clock, member, agent, token=token, replaces=replaces)


async def open_in(
    tx: Tx, clock: Clock, member: MemberId, agent: str, *, token: str | None = None,
    replaces: str | None = None,
) -> NewSession:  # fmt: skip
    """`open_session`, in the transaction that proves who signs in."""
    now_us = clock.now_us()
    await sessions.forget(tx, now_us, *_over_before_us(now_us))
    if replaces is not None:
        await sessions.end_by_hash(tx, _hash(replaces))
    for oldest in (await sessions.of_member(tx, member, now_us))[SESSIONS_MAX - 1 :]:
        await sessions.end(tx, member, oldest.id)
    new = NewSession(
        secrets.token_urlsafe(32),
        Session(
            secrets.token_hex(8), member, _printable(agent), now_us, now_us,
            now_us if token is None else None, token,
        ),
    )  # fmt: skip
    await sessions.add(tx, new.session, _hash(new.secret))
    return new


async def find_session(store: Store, clock: Clock, secret: str) -> Session | None:
    """The session with this secret, if it is not over."""
    async with store.read() as tx:
        return await find_in(tx, clock, secret)


async def find_in(tx: Tx, clock: Clock, secret: str | None) -> Session | None:
    """`find_session`, in the transaction that acts for the member."""
    if secret is None or len(secret) != SECRET_CHARS or not secret.isascii():
        return None
    now_us = clock.now_us()
    found = await sessions.by_hash(tx, _hash(secret), now_us)
    return found if found is not None and _alive(found, now_us) else None


async def touch(store: Store, clock: Clock, session: Session) -> None:
    """A session was used: its idle time begins again. Written once in TOUCH_S at most."""
    now_us = clock.now_us()
    if now_us - session.seen_us >= TOUCH_S * _SECOND_US:
        async with store.write() as tx:
            await sessions.touch(tx, session.id, now_us)


async def sessions_of(store: Store, clock: Clock, member: MemberId) -> list[Session]:
    """A member's sessions that are not over, the one seen last first."""
    now_us = clock.now_us()
    async with store.read() as tx:
        found = await sessions.of_member(tx, member, now_us)
    return [one for one in found if _alive(one, now_us)]


async def end_session(store: Store, secret: str) -> None:
    """Sign out: end the session with this secret, if there is one."""
    async with store.write() as tx:
        await sessions.end_by_hash(tx, _hash(secret))


async def revoke_session(store: Store, member: MemberId, session: str) -> None:
    """End a session of the member by its id. Raises NotFound, for another's as well."""
    async with store.write() as tx:
        if not await sessions.end(tx, member, session):
            raise NotFound("you have no session with this id")


async def end_sessions(store: Store, member: MemberId, but: Session | None = None) -> int:
    """End all of a member's sessions, but for one; how many were ended."""
    async with store.write() as tx:
        return await sessions.end_others(tx, member, but.id if but else "")


def is_fresh(clock: Clock, session: Session | None) -> bool:
    """Whether a wallet has signed in this session within FRESH_S."""
    if session is None or session.signed_in_us is None:
        return False
    return clock.now_us() - session.signed_in_us < FRESH_S * _SECOND_US


def _alive(session: Session, now_us: int) -> bool:
    seen_before_us, created_before_us = _over_before_us(now_us)
    return session.seen_us > seen_before_us and session.created_us > created_before_us


def _over_before_us(now_us: int) -> tuple[int, int]:
    """(seen, created): a session that was so no later is over."""
    return now_us - IDLE_S * _SECOND_US, now_us - LIFE_S * _SECOND_US


def _printable(agent: str) -> str:
    """What a stranger's browser calls itself, as it may be shown: one short line."""
    line = "".join(character for character in agent if character.isprintable())
    return line[:AGENT_CHARS_MAX]


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()
