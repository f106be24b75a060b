"""Signing in by an API token: for members who joined by the API, and have no wallet here.

A token with every scope may do all that a session may, so it opens one; a weaker token does not,
for a session would make it stronger. Such a session is never fresh, and ends with its token.
"""

from __future__ import annotations

from node.clock import Clock
from node.errors import Forbidden
from node.flows.join import SCOPES, demand_valid, find_tokens
from node.flows.sessions import NewSession, open_in
from node.flows.sign_in.words import tell
from node.store.engine import Store


async def sign_in_by_token(
    store: Store, clock: Clock, secret: str, agent: str, replaces: str | None = None
) -> NewSession:
    """A session for the token's member. Raises Unauthorized, Forbidden for one with less scopes."""
    token = demand_valid((await find_tokens(store, [secret])).get(secret), clock)
    if token.scopes != SCOPES:
        raise Forbidden(f"this token lacks {', '.join(sorted(SCOPES - token.scopes))}: sign in with"
                        " one that has every scope")  # fmt: skip
    async with store.write() as tx:
        new = await open_in(tx, clock, token.member, agent, token=token.id, replaces=replaces)
        await tell(tx, new.session)
    return new
