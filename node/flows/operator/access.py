"""The operator's sessions: opened by a one-time link or a passkey, and ended by time.

    link (an hour, once)  ─┐
    passkey               ─┴▶ session: idle IDLE_S, at most SESSION_S ▶ act

Whoever can run a command on the node's machine is the operator: so the command line makes links,
and a link is the way back in when a passkey is lost. All secrets have 256 bits; the store has their
sha256.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Final

from node.clock import Clock
from node.errors import NotFound, Unauthorized
from node.store import operator_access, operator_log
from node.store.engine import Store, Tx
from node.store.operator_access import BY_LINK, OperatorSession
from node.store.operator_log import Act

LINK_S: Final = 3600
IDLE_S: Final = 3600
SESSION_S: Final = 12 * 3600
SEEN_EVERY_S: Final = 60
"""How exactly it is kept when a session was last used."""
FRESH_S: Final = 600
"""How long a session that a link opened may do what a passkey must confirm."""
NODE: Final = "the node"
COMMAND_LINE: Final = "command line"
_AGENT_MAX: Final = 200
_SECOND_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session and its secret, which is told once."""

    secret: str
    session: OperatorSession


async def make_link(store: Store, clock: Clock, actor: str = COMMAND_LINE) -> str:
    """A new one-time link's secret. Earlier ones that were not used are good no more."""
    secret, now_us = secrets.token_urlsafe(32), clock.now_us()
    async with store.write() as tx:
        await operator_access.add_link(tx, digest(secret), now_us, now_us + LINK_S * _SECOND_US)
        await operator_log.append(tx, Act(actor, "made a link", "to sign in"), now_us)
    return secret


async def needs_link(store: Store) -> bool:
    """Whether no passkey is there that could sign in."""
    async with store.read() as tx:
        return not await operator_access.passkeys(tx)


async def use_link(store: Store, clock: Clock, secret: str, agent: str) -> NewSession:
    """Sign in by a link. Raises Unauthorized for one that is unknown, used or too old."""
    now_us = clock.now_us()
    async with store.write() as tx:
        if not await operator_access.use_link(tx, digest(secret), now_us):
            raise Unauthorized(
                "this link was used already or is older than an hour:"
                " flattr-node operator-link makes another"
            )
        return await open_session(tx, None, BY_LINK, agent, now_us)


async def open_session(
    tx: Tx, passkey: str | None, actor: str, agent: str, now_us: int
) -> NewSession:
    """A new session, in the transaction that has proved who it is."""
    secret = secrets.token_urlsafe(32)
    session = OperatorSession(
        digest(secret), secrets.token_hex(8), passkey, actor, _plain(agent), now_us, now_us
    )
    await operator_access.add_session(tx, session)
    await operator_log.append(tx, Act(actor, "signed in", f"session {session.id}"), now_us)
    return NewSession(secret, session)


async def find_session(
    store: Store, clock: Clock, secret: str, *, by_hand: bool = True
) -> OperatorSession | None:
    """The session of a browser's secret; None when it has ended, by hand or by time.

    `by_hand`: a person asks. What a page asks by itself keeps no session open.
    """
    now_us = clock.now_us()
    async with store.read() as tx:
        session = await operator_access.session(tx, digest(secret))
    if session is None or not is_open(session, now_us):
        return None
    if by_hand and now_us - session.seen_us >= SEEN_EVERY_S * _SECOND_US:
        async with store.write() as tx:
            await operator_access.see(tx, session.hash, now_us)
    return session


async def sessions(store: Store, clock: Clock) -> list[OperatorSession]:
    """The sessions that are open now, newest first."""
    now_us = clock.now_us()
    async with store.read() as tx:
        found = await operator_access.sessions(tx, now_us - IDLE_S * _SECOND_US)
    return [one for one in found if is_open(one, now_us)]


async def end_session(store: Store, clock: Clock, actor: str, session_id: str) -> None:
    """End a session. Raises NotFound."""
    now_us = clock.now_us()
    async with store.write() as tx:
        if not await operator_access.end_session(tx, session_id, now_us):
            raise NotFound("there is no such session, or it has ended")
        await operator_log.append(tx, Act(actor, "ended", f"session {session_id}"), now_us)


async def end_passkey(store: Store, clock: Clock, actor: str, passkey: str) -> None:
    """Remove a passkey and end its sessions. Raises NotFound."""
    now_us = clock.now_us()
    async with store.write() as tx:
        known = {one.id: one.name for one in await operator_access.passkeys(tx)}
        if not await operator_access.end_passkey(tx, passkey, now_us):
            raise NotFound("there is no such passkey, or it was removed")
        act = Act(actor, "removed", f"passkey {known[passkey]}")
        await operator_log.append(tx, act, now_us)


def is_open(session: OperatorSession, now_us: int) -> bool:
    """Whether a session has not ended by time."""
    idle = now_us - session.seen_us >= IDLE_S * _SECOND_US
    return not idle and now_us - session.created_us < SESSION_S * _SECOND_US


def is_fresh_link(session: OperatorSession, now_us: int) -> bool:
    """Whether a link has opened this session a few minutes ago: as good as a passkey's word."""
    return session.passkey is None and now_us - session.created_us < FRESH_S * _SECOND_US


def digest(secret: str | bytes) -> str:
    """How a secret is known in the store."""
    raw = secret.encode(errors="replace") if isinstance(secret, str) else secret
    return hashlib.sha256(raw).hexdigest()


def _plain(agent: str) -> str:
    return "".join(c if c.isprintable() else " " for c in agent)[:_AGENT_MAX]
