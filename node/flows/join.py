"""Members: how they join, the tokens that act for them, and where they are paid.

A token is 256 random bits, shown once; the store has its sha256. A payout target is tried live
before it is saved: its server must answer, and take what the node pays (for an address on the
chain: `vault/target.py`). The first one of an asset counts at once; a changed one after the time
lock (design.md §3.12), with a notice, and only when a wallet of the member has just signed: what a
stolen token may not do. Members who have no wallet can't sign, and have the time lock alone.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from node.clock import Clock
from node.errors import (
    BadInput,
    BadTarget,
    Conflict,
    FetchRefused,
    FreshSignInNeeded,
    NotFound,
    QuoteRefused,
    Unauthorized,
)
from node.flows.hold import hold_at_once
from node.flows.rules import Rules
from node.ids import MemberId
from node.store import identities, members
from node.store.engine import Store, Tx
from node.store.members import StoredTarget, Token
from node.wallet.fetch import Fetcher
from node.wallet.lightning.lnd import Lnd
from node.wallet.lightning.targets import (
    AN_INVOICE,
    Bolt11,
    LightningAddress,
    LnurlPay,
    NodeKey,
    Target,
    parse_target,
    probe,
)
from node.wallet.stablecoin.targets import EvmTarget

SCOPES: Final = frozenset({"read", "click", "things", "money"})
"""read: see one's own; click: flattr; things: add and claim; money: deposit, withdraw, targets."""
FEED: Final = "feed"
"""Of a token that can only read the feed of its member's payments. It stands alone, so that who is
handed the address of a feed is handed nothing else with it."""
TOKEN_PREFIX: Final = "flattr_"  # noqa: S105  it marks a secret, and is none
TOKEN_DAYS_MAX: Final = 366
TOKENS_MAX: Final = 50
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{1,31}", re.ASCII)
_DAY_US: Final = 86_400 * 1_000_000


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token just made. `secret` is shown this once."""

    token: Token
    secret: str


@dataclass(frozen=True, slots=True)
class SavedTarget:
    """A payout target that was tried and saved."""

    target: StoredTarget
    kind: str
    tested: str
    """What the live test saw, in words."""


async def join(store: Store, clock: Clock, name: str) -> tuple[MemberId, NewToken]:
    """A new member and a first token with all scopes. Raises BadInput, Conflict."""
    async with store.write() as tx:
        member = await add_member(tx, clock, name)
        new = _new_token(member, "first", SCOPES, TOKEN_DAYS_MAX, clock.now_us())
        await members.add_token(tx, new.token, _hash(new.secret))
    return member, new


async def add_member(tx: Tx, clock: Clock, name: str) -> MemberId:
    """A new member, in the transaction that says how they come back. Raises BadInput, Conflict."""
    if not _NAME.fullmatch(name):
        raise BadInput("a name is 2 to 32 of a-z, 0-9, - and _, and begins with a letter or digit")
    member = await members.add(tx, name, clock.now_us())
    if member is None:
        raise Conflict(f"the name {name} is taken")
    return member


async def make_token(
    store: Store, clock: Clock, member: MemberId, label: str, scopes: frozenset[str], days: int
) -> NewToken:
    """Another token with some of the scopes, or with FEED alone. Raises BadInput, Conflict."""
    if scopes != {FEED} and not (scopes and scopes <= SCOPES):
        raise BadInput(f"scopes are some of {', '.join(sorted(SCOPES))}")
    if not 1 <= days <= TOKEN_DAYS_MAX:
        raise BadInput(f"a token lives 1 to {TOKEN_DAYS_MAX} days")
    new = _new_token(member, label, scopes, days, clock.now_us())
    async with store.write() as tx:
        if len(await members.tokens_of(tx, member)) >= TOKENS_MAX:
            raise Conflict(f"a member has at most {TOKENS_MAX} tokens")
        await members.add_token(tx, new.token, _hash(new.secret))
        may = "only read your payments" if scopes == {FEED} else ", ".join(sorted(scopes))
        words = f"a new API token, {label or new.token.id}, may {may}. Not you? End it in Settings."
        await members.notify(tx, member, "token", new.token.id, words, clock.now_us())
    return new


async def find_tokens(store: Store, secrets_: Sequence[str]) -> dict[str, Token]:
    """The tokens with these secrets, by secret; revoked and expired ones too."""
    hashes = {_hash(secret): secret for secret in secrets_}
    async with store.read() as tx:
        found = await members.tokens_by_hash(tx, list(hashes))
    return {hashes[hashed]: token for hashed, token in found.items()}


async def revoked_since(store: Store, since_us: int) -> set[str]:
    """The ids of tokens that were revoked since a time."""
    async with store.read() as tx:
        return await members.revoked_since(tx, since_us)


async def suspended(store: Store) -> set[MemberId]:
    """Everybody who is suspended now."""
    async with store.read() as tx:
        return await members.suspended(tx)


def demand_valid(token: Token | None, clock: Clock) -> Token:
    """Go on only with a token that is known and valid now. Raises Unauthorized."""
    if token is None or token.revoked_us is not None or token.expires_us <= clock.now_us():
        raise Unauthorized("the token is unknown, revoked or expired")
    return token


async def revoke_token(store: Store, clock: Clock, member: MemberId, token: str) -> None:
    """End a token. Raises NotFound."""
    async with store.write() as tx:
        if not await members.revoke_token(tx, member, token, clock.now_us()):
            raise NotFound("you have no token with this id")


async def set_target(
    store: Store, clock: Clock, rules: Rules, fetcher: Fetcher, member: MemberId, text: str, *,
    fresh: bool = False, lnd: Lnd | None = None,
) -> SavedTarget:  # fmt: skip
    """Try a payout target and save it; `fresh`: a wallet of the member has just signed.

    `lnd`: who would pay it, and can't pay itself. Raises BadTarget with what to do,
    FreshSignInNeeded for a change, RailUnavailable.
    """
    target = _standing(text, fetcher.allow)
    if not fresh:
        await demand_may_set(store, rules, member, target.text)
    if lnd is not None and isinstance(target, NodeKey):
        await _demand_another(lnd, target)
    tested = await _try(fetcher, target, rules)
    return await save_target(store, clock, rules, member, target, tested, fresh=fresh)


async def demand_may_set(store: Store, rules: Rules, member: MemberId, text: str) -> None:
    """Go on only with a target that may be set without a fresh sign-in, before it is tried.

    Raises FreshSignInNeeded.
    """
    async with store.read() as tx:
        _demand_fresh(await members.target_of(tx, member, rules.asset), text,
                      await identities.count(tx, member))  # fmt: skip


async def save_target(
    store: Store, clock: Clock, rules: Rules, member: MemberId, target: Target | EvmTarget,
    tested: str, *, fresh: bool = False,
) -> SavedTarget:  # fmt: skip
    """Save a target of the rules' asset that was tried: `tested` says what was seen.

    Raises FreshSignInNeeded for a change, unless a wallet of the member has just signed (`fresh`).
    """
    now_us = clock.now_us()
    async with store.write("target.set") as tx:
        before = await members.target_of(tx, member, rules.asset)
        if before is not None and before.text == target.text:
            return SavedTarget(before, target.kind, tested)
        if not fresh:
            _demand_fresh(before, target.text, await identities.count(tx, member))
        lock_us = rules.target_lock_s * 1_000_000 if before is not None else 0
        stored = StoredTarget(
            member, rules.asset, target.text, target.fingerprint, now_us, now_us + lock_us
        )
        await members.set_target(tx, stored)
        await hold_at_once(tx, member, rules.asset, now_us)
        if before is not None:
            words = (
                f"your payout target for {rules.asset} is {target.text} now. Nothing of it is paid"
                f" to you before {rules.target_lock_s // 3600} hours have passed. Not you? Sign in,"
                " put yours back, and end all sessions and tokens."
            )
            await members.notify(tx, member, "target", str(now_us), words, now_us)
    return SavedTarget(stored, target.kind, tested)


def _standing(text: str, allow: frozenset[str]) -> LightningAddress | LnurlPay | NodeKey:
    """A target that is paid again and again. Raises BadTarget."""
    try:
        target = parse_target(text, allow=allow)
    except BadTarget as error:
        raise BadTarget(str(error).replace(AN_INVOICE, "an LNURL or")) from error
    if isinstance(target, Bolt11):
        raise BadTarget("an invoice is paid once: give a Lightning address, an LNURL or a node key")
    return target


def _demand_fresh(before: StoredTarget | None, text: str, wallets: int) -> None:
    if before is not None and before.text != text and wallets:
        raise FreshSignInNeeded(
            "you sign in with a wallet, so a token can't change where you are paid: sign in on the"
            " node's pages, and change it there within ten minutes"
        )


async def _demand_another(lnd: Lnd, target: NodeKey) -> None:
    if target.pubkey == (await lnd.read_node()).pubkey:
        raise BadTarget(
            "that is the key of this node's own lnd, which can't pay itself: give a Lightning"
            " address, an LNURL, or the key of another node"
        )


async def _try(
    fetcher: Fetcher, target: LightningAddress | LnurlPay | NodeKey, rules: Rules
) -> str:
    match target:
        case LightningAddress() | LnurlPay():
            try:
                limits = await probe(fetcher, target)
            except (FetchRefused, QuoteRefused) as error:
                raise BadTarget(f"{target.text} was tried and does not work: {error}") from error
            if limits.min_msat > rules.payout_min.units:
                return f"it answers, and takes {limits.min_msat} msat or more at a time"
            return f"it answers, and takes {limits.min_msat} to {limits.max_msat} msat"
        case NodeKey():
            return "a node key is paid by keysend: it is tried with the first payout"


def _new_token(
    member: MemberId, label: str, scopes: frozenset[str], days: int, now_us: int
) -> NewToken:
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    token = Token(
        secrets.token_hex(8), member, label, scopes, now_us, now_us + days * _DAY_US, None
    )
    return NewToken(token, secret)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
