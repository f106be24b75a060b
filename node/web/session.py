"""Who asks: a bearer token, known again without asking the database.

    Authorization: Bearer flattr_…  ▶  sha256  ▶  known and valid? ▶  scope held? ▶  go on
                                                      │ no
                                                      ▼
                                      flows/join.py, with all who ask now

A token that is revoked through this process is forgotten at once. What other processes revoke, and
whom the operator suspends, is read once in FRESH_S; nobody is known by an older reading. Only
hashes are kept.

Who is suspended reads, exports and withdraws, and neither clicks nor claims.
"""

from __future__ import annotations

import asyncio
import hashlib
from functools import partial
from typing import Final

from node.clock import Clock
from node.errors import Forbidden, Unauthorized
from node.flows import join
from node.flows.together import Together
from node.ids import MemberId
from node.store.engine import Store
from node.store.members import Token

FRESH_S: Final = 60
SKEW_S: Final = 300
"""How far apart the clocks of two processes on one database may be."""
KNOWN_MAX: Final = 50_000
HEADER_CHARS_MAX: Final = 200
SUSPENDED_SCOPES: Final = frozenset({"read", "money", join.FEED})
"""What a suspended member may still do: see what is there, and take the own money out."""
SUSPENDED_WORDS: Final = (
    "your account is suspended: you can see everything and withdraw your money, but not flattr or"
    " claim. The operator can lift it"
)
_SCHEME: Final = "Bearer "
_SECOND_US: Final = 1_000_000


class Sessions:
    """The tokens that this process knows."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known: dict[bytes, Token] = {}
        self._revocations = 0
        self._read_us = clock.now_us()
        self._reading = asyncio.Lock()
        self._tokens = Together[str, Token](partial(join.find_tokens, store))

    def known(self, header: str | None) -> Token | None:
        """The token of an Authorization header, if it was seen before. Raises Unauthorized."""
        token = self._known.get(_digest(header))
        if token is None or self._clock.now_us() >= min(token.expires_us, self._fresh_until_us()):
            return None
        return token

    async def authenticate(self, header: str | None) -> Token:
        """The valid token of an Authorization header. Raises Unauthorized."""
        digest = _digest(header)
        assert header is not None, "it has a digest"
        await self._read_revoked()
        if (known := self.known(header)) is not None:
            return known
        revocations = self._revocations
        self._known.pop(digest, None)
        found = await self._tokens.get(header[len(_SCHEME) :])
        token = join.demand_valid(found, self._clock)
        if revocations == self._revocations:  # else it may have been revoked while we read
            self._known[digest] = token
            if len(self._known) > KNOWN_MAX:
                del self._known[next(iter(self._known))]
        return token

    def forget(self, *token_ids: str) -> None:
        """Tokens were revoked."""
        self._revocations += 1
        gone = [digest for digest, token in self._known.items() if token.id in token_ids]
        for digest in gone:
            del self._known[digest]

    def forget_members(self, *members: MemberId) -> None:
        """What these members may do has changed: all their tokens are looked up again."""
        self.forget(*(token.id for token in self._known.values() if token.member in members))

    async def _read_revoked(self) -> None:
        """Forget what was revoked or suspended since the last reading, if that was FRESH_S ago."""
        async with self._reading:
            if (now_us := self._clock.now_us()) < self._fresh_until_us():
                return
            since_us = self._read_us - SKEW_S * _SECOND_US
            self.forget(*await join.revoked_since(self._store, since_us))
            suspended = await join.suspended(self._store)
            self.forget(
                *(t.id for t in self._known.values() if t.suspended != (t.member in suspended))
            )
            self._read_us = now_us

    def _fresh_until_us(self) -> int:
        return self._read_us + FRESH_S * _SECOND_US


def demand_scope(token: Token, scope: str) -> None:
    """Go on only if the token has the scope, and its member may use it. Raises Forbidden."""
    if token.suspended and scope not in SUSPENDED_SCOPES:
        raise Forbidden(SUSPENDED_WORDS)
    if scope not in token.scopes:
        raise Forbidden(f"this token lacks the scope {scope}: make one that has it")


def _digest(header: str | None) -> bytes:
    if header is None or not header.startswith(_SCHEME):
        raise Unauthorized("send your token: Authorization: Bearer flattr_…")
    if len(header) > HEADER_CHARS_MAX or not header.isascii():
        raise Unauthorized("the token is unknown, revoked or expired")
    return hashlib.sha256(header.encode()).digest()
