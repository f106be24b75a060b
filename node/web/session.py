"""Who asks: a bearer token, known again for a minute without asking the database.

    Authorization: Bearer flattr_…  ▶  sha256  ▶  known and fresh? ▶  scope held? ▶  go on
                                                      │ no
                                                      ▼
                                             flows/join.authenticate

A token that is revoked through this process is forgotten at once; through another, within
FRESH_S. Only hashes are kept.
"""

from __future__ import annotations

import hashlib
from typing import Final

from node.clock import Clock
from node.errors import Forbidden, Unauthorized
from node.flows import join
from node.store.engine import Store
from node.store.members import Token

FRESH_S: Final = 60
KNOWN_MAX: Final = 50_000
HEADER_CHARS_MAX: Final = 200
_SCHEME: Final = "Bearer "


class Sessions:
    """The tokens that this process knows."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known: dict[bytes, tuple[Token, int]] = {}
        self._revocations = 0

    def known(self, header: str | None) -> Token | None:
        """The token of an Authorization header, if it was seen lately. Raises Unauthorized."""
        found = self._known.get(_digest(header))
        if found is None or found[1] <= self._clock.now_us():
            return None
        return found[0]

    async def authenticate(self, header: str | None) -> Token:
        """The valid token of an Authorization header. Raises Unauthorized."""
        digest = _digest(header)
        revocations = self._revocations
        self._known.pop(digest, None)
        assert header is not None, "it has a digest"
        token = await join.authenticate(self._store, self._clock, header[len(_SCHEME) :])
        if revocations == self._revocations:  # else it may have been revoked while we read
            fresh_until_us = self._clock.now_us() + FRESH_S * 1_000_000
            self._known[digest] = (token, min(fresh_until_us, token.expires_us))
            if len(self._known) > KNOWN_MAX:
                del self._known[next(iter(self._known))]
        return token

    def forget(self, token_id: str) -> None:
        """A token was revoked."""
        self._revocations += 1
        gone = [digest for digest, (token, _) in self._known.items() if token.id == token_id]
        for digest in gone:
            del self._known[digest]


def demand_scope(token: Token, scope: str) -> None:
    """Go on only if the token has the scope. Raises Forbidden."""
    if scope not in token.scopes:
        raise Forbidden(f"this token lacks the scope {scope}: make one that has it")


def _digest(header: str | None) -> bytes:
    if header is None or not header.startswith(_SCHEME):
        raise Unauthorized("send your token: Authorization: Bearer flattr_…")
    if len(header) > HEADER_CHARS_MAX or not header.isascii():
        raise Unauthorized("the token is unknown, revoked or expired")
    return hashlib.sha256(header.encode()).digest()
