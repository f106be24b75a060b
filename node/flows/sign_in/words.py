"""How a wallet is called where people read it, and what a member is told of a sign-in."""

from __future__ import annotations

from typing import Final, assert_never

from node.store import members
from node.store.engine import Tx
from node.store.identities import Kind
from node.store.sessions import Session
from node.wallet.nostr import npub

_BROWSERS: Final = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"), ("CriOS/", "Chrome"), ("Safari/", "Safari"),
)  # fmt: skip
"""In order: most call themselves by the names of those that came before them, too."""
_SYSTEMS: Final = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"),
    ("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip
_AGENT_CHARS: Final = 40
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


def browser_name(agent: str) -> str:
    """What people call the browser that calls itself so (User-Agent); empty: it does not say."""
    browser = next((told for mark, told in _BROWSERS if mark in agent), "")
    system = next((told for mark, told in _SYSTEMS if mark in agent), "")
    if browser and system:
        return f"{browser} on {system}"
    return browser or agent[:_AGENT_CHARS]


async def tell(tx: Tx, session: Session) -> None:
    """A notice of a new session."""
    how = "with an API token" if session.token else "with a wallet"
    words = (
        f"you have signed in {how}, in {browser_name(session.agent) or 'a browser'}. Not you? End"
        " that session, and remove the wallet or token that you do not know."
    )
    await members.notify(tx, session.member, "sign-in", session.id, words, session.created_us)
