"""How browsers and wallets are called where people read it."""

from __future__ import annotations

import pytest

from node.flows.sign_in.words import browser_name, wallet_name
from tests.flows.sign_in import keys

AGENTS = {
    "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0": "Firefox on Linux",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/156.0.0.0 Safari/537.36 Edg/156.0.0.0": "Edge on Windows",
    "Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0"
    " Mobile Safari/537.36": "Chrome on Android",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like"
    " Gecko) Version/19.0 Mobile/15E148 Safari/604.1": "Safari on iPhone",
    "curl/8.9.1": "curl/8.9.1",
    "x" * 100: "x" * 40,
    "": "",
}


@pytest.mark.parametrize(("agent", "name"), AGENTS.items())
def test_a_browser_is_called_what_people_call_it(agent, name):
    assert browser_name(agent) == name


def test_a_wallet_is_called_by_the_ends_of_its_key():
    lightning = keys.LightningWallet(11).linking_key
    assert wallet_name("lightning", lightning) == (
        f"Lightning wallet {lightning[:8]}…{lightning[-6:]}"
    )
    npub = keys.nostr_keys(11).public_key().to_bech32()
    nostr = keys.nostr_keys(11).public_key().to_hex()
    assert wallet_name("nostr", nostr) == f"Nostr key {npub[:8]}…{npub[-6:]}"
    address = keys.ethereum_wallet(11).address
    short = f"Ethereum wallet {address[:8]}…{address[-6:]}"
    assert wallet_name("ethereum", address) == short
    assert wallet_name("ethereum", f"eip155:1:{address}") == short
