"""How a wallet is called where people read it."""

from __future__ import annotations

from typing import assert_never

from node.store.identities import Kind
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


def _short(key: str) -> str:
    return f"{key[:8]}…{key[-6:]}"
