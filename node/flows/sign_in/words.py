"""How a wallet is called where people read it, and what a member is told of a sign-in."""

from __future__ import annotations

from typing import assert_never

from node.store import members
from node.store.engine import Tx
from node.store.identities import Kind
from node.store.sessions import Session
from node.wallet.nostr import npub


def wallet_name(kind: Kind, key: str) -> str:
    """A short name for a wallet, by the key of its `Identity`."""
    match kind:
        case "lightning":
            return f"Lightning wallet {_short(key)}"
        case "nostr":
            return f"Nostr key {_short(npub(key))}"
        case "ethereum":
            return f"Ethereum wallet {_short(key.rpartition(':')[2])}"
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


def _short(key: str) -> str:
    return f"{key[:8]}…{key[-6:]}"
