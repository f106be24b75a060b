"""Signing in over Lightning: LNURL-auth (LUD-04).

The browser shows a QR code; the wallet, on another device or the same, brings the signature by a
call of its own. So the call has no cookie: what it proves waits for the browser that showed the
code, and for no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from node.errors import BadInput
from node.flows.sign_in.asking import SignIn, ask, find, prove
from node.store.challenges import Action, Proof
from node.store.sessions import Session
from node.wallet.lightning.lnurl_auth import (
    TAG,
    callback_url,
    demand_signed,
    keyauth_link,
    lnurl,
)

CALLBACK_PATH: Final = "/sign-in/lightning/callback"


@dataclass(frozen=True, slots=True)
class ShownLnurl:
    """What the browser shows: the same URL three ways."""

    url: str
    lnurl: str
    """bech32, for the QR code and after `lightning:`."""
    keyauth: str
    """LUD-17, for wallets that know it."""


async def show(
    sign_in: SignIn, browser: str, action: Action = "login", by: Session | None = None
) -> ShownLnurl:
    """Ask for a signature, for this browser (its secret). Raises as `ask` does."""
    k1 = await ask(sign_in, "lightning", browser, action, by)
    url = callback_url(sign_in.public_url + CALLBACK_PATH, k1, action)
    return ShownLnurl(url, lnurl(url), keyauth_link(url))


async def signed(sign_in: SignIn, query: Mapping[str, str]) -> Proof:
    """A wallet calls: `tag`, `k1`, `action`, `sig` and `key` of its URL.

    Raises BadInput, Forbidden for a bad signature, Conflict for a k1 that is over.
    """
    if query.get("tag") != TAG:
        raise BadInput(f"tag must be {TAG}: call the URL as it was given")
    k1 = query.get("k1", "").lower()
    key = demand_signed(k1, query.get("sig", ""), query.get("key", ""))
    asked = await find(sign_in, "lightning", k1)
    if query.get("action") != asked.action:
        raise BadInput("this was asked for another action: call the URL as it was given")
    async with sign_in.store.write() as tx:
        return await prove(tx, sign_in.clock, "lightning", k1, key, None)
