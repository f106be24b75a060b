"""What a proof is worth: a session, a new member, or one more wallet of a member.

    login   known wallet ▶ its member is signed in
            new wallet   ▶ a name is wanted ▶ a new member is signed in
    auth    a wallet of the member ▶ a fresh session in place of the old one
    link    new wallet   ▶ it is the member's, too; a Lightning wallet once the member says "mine"

A Lightning wallet brings its signature by itself, so whoever sees the code first could become one
of the member's: which key has signed is shown, and nothing is linked until the member has said,
just after a sign-in, that this very key is theirs.

The proof is used up in the transaction that does it. Where two browsers bring the same new wallet
at once, one makes the member, and the other finds that the wallet is known.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final, TypeAlias

from node.errors import Conflict, Forbidden
from node.flows.join import add_member
from node.flows.sessions import NewSession, find_in, open_in
from node.flows.sign_in.asking import SignIn, demand_may_link, hash_of
from node.flows.sign_in.words import tell, wallet_name
from node.ids import MemberId
from node.store import challenges, identities, members
from node.store.challenges import Proof
from node.store.engine import Tx
from node.store.identities import Identity
from node.store.sessions import Session

IDENTITIES_MAX: Final = 20
"""Wallets of one member."""


@dataclass(frozen=True, slots=True)
class Browser:
    """Who comes for a proof: what it calls itself, and the secrets of its two cookies."""

    secret: str
    """The one that it asked with."""
    agent: str
    session_secret: str | None = None
    """Of the session in which it is signed in."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Done: a new session, in place of the browser's old one."""

    new: NewSession
    joined: bool = False


@dataclass(frozen=True, slots=True)
class Linked:
    """Done: one more wallet. `new`: the session in place of the old one, if that became fresh."""

    identity: Identity
    new: NewSession | None


@dataclass(frozen=True, slots=True)
class YesWanted:
    """A Lightning wallet has signed to be linked: the proof waits until its key is called mine."""

    key: str


@dataclass(frozen=True, slots=True)
class NameWanted:
    """Nobody has this wallet yet: the proof waits for a name."""

    wallet: str


@dataclass(frozen=True, slots=True)
class Unsigned:
    """No wallet has signed for this browser, or its time is over."""


Finished: TypeAlias = SignedIn | Linked | YesWanted | NameWanted | Unsigned


class _LostRace(Exception):
    """Somebody else has made a member of this wallet a moment ago."""


async def finish(
    sign_in: SignIn, browser: Browser, name: str | None = None, *, mine: str = ""
) -> Finished:
    """Use the proof of this browser up; `name`: of the new member, if the wallet is new.

    `mine`: the key that the member has called the own, of a Lightning wallet to be linked.

    Raises BadInput and Conflict for the name, Forbidden and Conflict when the wallet is not one
    that may do this, FreshSignInNeeded.
    """
    try:
        return await _finish(sign_in, browser, name, mine)
    except _LostRace:
        return await _finish(sign_in, browser, name, mine)


async def decline(sign_in: SignIn, browser: Browser) -> None:
    """The wallet that has signed for this browser is not the member's: forget what it proved."""
    async with sign_in.store.write() as tx:
        await challenges.take_proof(tx, hash_of(browser.secret), sign_in.clock.now_us())


async def _finish(sign_in: SignIn, browser: Browser, name: str | None, mine: str) -> Finished:
    now_us = sign_in.clock.now_us()
    async with sign_in.store.write() as tx:
        proof = await challenges.proof_of(tx, hash_of(browser.secret), now_us)
        if proof is None:
            return Unsigned()
        known = await identities.find(tx, proof.kind, proof.key)
        if (wanted := _wanted_first(proof, known, name, mine)) is not None:
            return wanted
        if await challenges.take_proof(tx, hash_of(browser.secret), now_us) != proof:
            return Unsigned()
        match proof.action:
            case "login":
                return await _log_in(tx, sign_in, browser, proof, known, name)
            case "auth":
                return await _sign_again(tx, sign_in, browser, proof, known)
            case "link":
                return await _link(tx, sign_in, browser, proof, known)


def _wanted_first(
    proof: Proof, known: Identity | None, name: str | None, mine: str
) -> NameWanted | YesWanted | None:
    """What the member must say before the proof is used up."""
    if proof.action == "login" and known is None and name is None:
        return NameWanted(wallet_name(proof.kind, proof.key))
    if proof.action == "link" and proof.kind == "lightning" and mine != proof.key:
        return YesWanted(proof.key)
    return None


async def _log_in(
    tx: Tx, sign_in: SignIn, browser: Browser, proof: Proof, known: Identity | None,
    name: str | None,
) -> SignedIn:  # fmt: skip
    if known is not None:
        await identities.used(tx, known.id, sign_in.clock.now_us())
        return SignedIn(await _session(tx, sign_in, browser, known.member))
    member = await add_member(tx, sign_in.clock, name or "")
    if await _add(tx, sign_in, proof, member) is None:
        raise _LostRace
    return SignedIn(await _session(tx, sign_in, browser, member), joined=True)


async def _sign_again(
    tx: Tx, sign_in: SignIn, browser: Browser, proof: Proof, known: Identity | None
) -> SignedIn:
    member = (await _demand_same(tx, sign_in, browser, proof)).member
    if known is None or known.member != member:
        raise Forbidden("that is none of your wallets: sign with one that you signed in with"
                        " before, or sign out first")  # fmt: skip
    await identities.used(tx, known.id, sign_in.clock.now_us())
    return SignedIn(await _session(tx, sign_in, browser, member))


async def _link(
    tx: Tx, sign_in: SignIn, browser: Browser, proof: Proof, known: Identity | None
) -> Linked:
    by = await _demand_same(tx, sign_in, browser, proof)
    member = by.member
    if known is not None:
        whose = "yours already" if known.member == member else "another member's"
        raise Conflict(f"this wallet is {whose}: take another one")
    before = await identities.of_member(tx, member)
    if len(before) >= IDENTITIES_MAX:
        raise Conflict(f"a member has at most {IDENTITIES_MAX} wallets: remove one first")
    await demand_may_link(tx, sign_in.clock, by)
    added = await _add(tx, sign_in, proof, member)
    if added is None:
        raise Conflict("this wallet is another member's: take another one")
    words = (
        f"{wallet_name(added.kind, added.key)} can sign in as you now. Not you? Remove it from your"
        " wallets, and end all sessions."
    )
    await members.notify(tx, member, "identity", added.id, words, added.created_us)
    return Linked(added, None if before else await _session(tx, sign_in, browser, member))


async def _add(tx: Tx, sign_in: SignIn, proof: Proof, member: MemberId) -> Identity | None:
    now_us = sign_in.clock.now_us()
    added = Identity(secrets.token_hex(8), proof.kind, proof.key, member, now_us, now_us)
    return added if await identities.add(tx, added) else None


async def _session(tx: Tx, sign_in: SignIn, browser: Browser, member: MemberId) -> NewSession:
    """A new session, with a notice, in place of the one that the browser had."""
    before = await find_in(tx, sign_in.clock, browser.session_secret)
    new = await open_in(tx, sign_in.clock, member, browser.agent, replaces=browser.session_secret)
    if before is None or before.member != member:
        await tell(tx, new.session)
    return new


async def _demand_same(tx: Tx, sign_in: SignIn, browser: Browser, proof: Proof) -> Session:
    """Whoever asked to sign again, or to add a wallet, is still signed in. Raises Forbidden."""
    session = await find_in(tx, sign_in.clock, browser.session_secret)
    if session is None or session.member != proof.member:
        raise Forbidden("you are not signed in as the member who asked for this: begin again")
    return session
