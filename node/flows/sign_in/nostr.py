"""Signing in with a Nostr key: an event of NIP-98 is signed by a browser's extension (NIP-07).

NIP-98 alone would let an event be used again within its minute, and by whoever sees it; so it
carries a challenge of this browser, too, and its id is remembered for as long as its time is good.
Its content says what the signature is good for and on which network, as Ethereum's text does.
"""

from __future__ import annotations

import json
from typing import Final

from node.clock import now_s
from node.errors import BadInput, Conflict
from node.flows.sign_in.asking import SignIn, ask, find, prove, statement
from node.store import challenges
from node.store.challenges import Action, Proof
from node.store.sessions import Session
from node.wallet.nostr import KIND, parse_signed_request

PATH: Final = "/sign-in/nostr"
METHOD: Final = "POST"
SKEW_S: Final = 60
"""How far an event's time may be from the node's (NIP-98)."""


async def show(
    sign_in: SignIn, browser: str, action: Action = "login", by: Session | None = None
) -> str:
    """The event to be signed, as JSON without author and id. Raises as `ask` does."""
    nonce = await ask(sign_in, "nostr", browser, action, by)
    tags = [["u", sign_in.public_url + PATH], ["method", METHOD], ["challenge", nonce]]
    event = {"kind": KIND, "created_at": now_s(sign_in.clock), "tags": tags}
    event["content"] = await statement(sign_in, action, by.member if by else None)
    return json.dumps(event)


async def signed(sign_in: SignIn, browser: str, event: str) -> Proof:
    """The browser brings the signed event, as JSON.

    Raises BadInput, Forbidden for a bad signature, Conflict for an event that is over.
    """
    given = parse_signed_request(event)
    if (given.url, given.method) != (sign_in.public_url + PATH, METHOD):
        raise BadInput("this event was made for another site or purpose: ask for a new one")
    if abs(given.created_s - now_s(sign_in.clock)) > SKEW_S:
        raise BadInput(
            f"the event's time is more than {SKEW_S} seconds off: sign it now, and look at your"
            " clock"
        )
    asked = await find(sign_in, "nostr", given.challenge)
    if given.content != await statement(sign_in, asked.action, asked.member):
        raise BadInput("this event says that it is for something else: ask for a new one")
    seen_until_us = (given.created_s + 2 * SKEW_S) * 1_000_000
    async with sign_in.store.write() as tx:
        if not await challenges.see_event(tx, given.id, seen_until_us):
            raise Conflict("this event was used before: sign a new one")
        return await prove(tx, sign_in.clock, "nostr", given.challenge, given.author, browser)
