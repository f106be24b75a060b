"""How a wallet is called where people read it, and what a member is told of a sign-in."""

from __future__ import annotations

from typing import Final, assert_never

from node.store import members
from node.store.engine import Tx
from node.store.identities import Kind
from node.store.sessions import Session
from node.wallet.nostr import npub

_WALLETS: Final[dict[Kind, str]] = {
    "lightning": "Lightning wallet",
    "ethereum": "Ethereum wallet",
    "nostr": "Nostr key",
}


def wallet_name(kind: Kind, key: str) -> str:
    """A short name for a wallet, by the key of its `Identity`."""
    told = wallet_key(kind, key)
    return f"{_WALLETS[kind]} {told[:8]}…{told[-6:]}"


def wallet_key(kind: Kind, key: str) -> str:
    """The key of an `Identity` as its owner knows it."""
    match kind:
        case "lightning":
            return key
        case "nostr":
            return npub(key)
        case "ethereum":
            return key.rpartition(":")[2]
        case _:
            assert_never(kind)


async def tell(tx: Tx, session: Session) -> None:
    """A notice of a new session."""
    how = "with an API token" if session.token else "with a wallet"
    words = (
        f"you have signed in {how}, in {session.agent or 'a browser without a name'}. Not you? End"
        " that session, and remove the wallet or token that you do not know."
    )
    await members.notify(tx, session.member, "sign-in", session.id, words, session.created_us)
