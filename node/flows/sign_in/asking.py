"""Challenges: made for one browser, answered once by one wallet.

A nonce is 256 random bits, given to the browser and the wallet; the store has its sha256. So is the
browser's own secret, which never leaves its cookie: who sees the nonce alone (a photo of the QR
code, a text that was sent on) can sign, and yet gets nothing for it.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Final

from node.clock import Clock
from node.errors import Busy, Conflict, FreshSignInNeeded
from node.flows.sessions import is_fresh
from node.ids import MemberId
from node.store import challenges, identities, members
from node.store.challenges import Action, Challenge, Proof
from node.store.engine import Store, Tx
from node.store.identities import Kind
from node.store.sessions import Session
from node.wallet.stablecoin.chain import Chain

VALID_S: Final = 300
"""How long a wallet may take to sign."""
PROOF_VALID_S: Final = 600
"""How long a proof waits: somebody who is new thinks of a name first."""
OF_BROWSER_MAX: Final = 8
"""Challenges that one browser may have; one more forgets its oldest."""
CHALLENGES_MAX: Final = 200_000
BROWSER_SECRET_CHARS: Final = 43
_SECOND_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class SignIn:
    """What signing in needs.

    `public_url` is where people reach the node, without a slash at the end; `chain_id` is what an
    Ethereum text names, `chain` where contract wallets are asked.
    """

    store: Store
    clock: Clock
    public_url: str
    network: str
    chain_id: int
    chain: Chain | None


def new_browser() -> str:
    """A secret for the cookie of a browser that asks to sign in."""
    return secrets.token_urlsafe(32)


async def ask(sign_in: SignIn, kind: Kind, browser: str, action: Action, by: Session | None) -> str:
    """A nonce to be signed for this browser (its secret): 64 hex digits, good for VALID_S.

    `by`: who is signed in, unless the action is to log in. Raises FreshSignInNeeded when somebody
    with wallets wants to link one more, and has not just signed with one; Busy.
    """
    assert (by is None) == (action == "login"), "one links or signs again as somebody"
    now_us, nonce = sign_in.clock.now_us(), secrets.token_hex(32)
    asked = Challenge(
        kind, action, hash_of(browser), by.member if by else None, now_us + VALID_S * _SECOND_US
    )
    async with sign_in.store.write() as tx:
        if action == "link" and by is not None:
            await demand_may_link(tx, sign_in.clock, by)
        await challenges.forget(tx, now_us)
        if await challenges.count(tx) >= CHALLENGES_MAX:
            raise Busy("too many people sign in at once: try again in a minute", 60)
        await challenges.keep_newest(tx, asked.browser, OF_BROWSER_MAX - 1)
        await challenges.ask(tx, asked, hash_of(nonce))
    return nonce


async def demand_may_link(tx: Tx, clock: Clock, by: Session) -> None:
    """Whoever has a wallet signs with it first; a first one may be linked by a token's session.

    Raises FreshSignInNeeded.
    """
    if not is_fresh(clock, by) and await identities.count(tx, by.member):
        raise FreshSignInNeeded("sign in again with a wallet of yours, and then add another one")


async def find(sign_in: SignIn, kind: Kind, nonce: str) -> Challenge:
    """The challenge of a nonce, before anything costly is done for it. Raises Conflict."""
    async with sign_in.store.read() as tx:
        found = await challenges.find(tx, kind, hash_of(nonce), sign_in.clock.now_us())
    if found is None:
        raise _over()
    return found


async def statement(sign_in: SignIn, action: Action, member: MemberId | None) -> str:
    """What a signature is good for, and on which network (design.md §3.14): what is signed says it.

    `member`: who wants to link a wallet.
    """
    where = f"this flattr-node, on the network {sign_in.network}. It moves no money."
    if action != "link" or member is None:
        return f"Sign in to {where}"
    async with sign_in.store.read() as tx:
        found = await members.get(tx, member)
    name = found.name if found else ""
    return f"Let this wallet sign in as the member {name} of {where}"


async def prove(
    tx: Tx, clock: Clock, kind: Kind, nonce: str, key: str, browser: str | None
) -> Proof:
    """A wallet has signed the nonce: the challenge is used up, a proof waits for its browser.

    `browser`: the secret of the browser that brings the signature; None if the wallet itself
    brings it. Raises Conflict.
    """
    now_us = clock.now_us()
    spent = await challenges.spend(tx, kind, hash_of(nonce), now_us)
    if spent is None or (browser is not None and not _is_of(spent, browser)):
        raise _over()
    proof = Proof(
        kind, key, spent.action, spent.browser, spent.member, now_us + PROOF_VALID_S * _SECOND_US
    )
    await challenges.prove(tx, proof)
    return proof


async def waiting(sign_in: SignIn, browser: str) -> Proof | None:
    """The proof that waits for this browser (its secret), if a wallet has signed."""
    async with sign_in.store.read() as tx:
        return await challenges.proof_of(tx, hash_of(browser), sign_in.clock.now_us())


def hash_of(secret: str) -> str:
    """What is stored of a secret: 64 hex digits of its sha256."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def _is_of(challenge: Challenge, browser: str) -> bool:
    return secrets.compare_digest(challenge.browser, hash_of(browser))


def _over() -> Conflict:
    return Conflict("this was signed before, has run out, or was asked by another browser: begin"
                    " again on the sign-in page")  # fmt: skip
