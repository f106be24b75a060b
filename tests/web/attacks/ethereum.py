"""Attacks on signing in with an Ethereum wallet (EIP-4361)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from node.flows.sign_in.asking import VALID_S
from tests.flows.sign_in import keys
from tests.flows.sign_in.keys import ORDER
from tests.web.attacks.attack import Attack, Doing
from tests.web.attacks.scene import Scene
from tests.web.login.conftest import Guest

TEXT = "/sign-in/ethereum/text"
STAYS = "/sign-in/ethereum?"


def altered(before: str, after: str) -> Doing:
    """The text is altered (a regular expression), and then signed by the right wallet."""

    async def does(scene: Scene):
        guest = await scene.guest()
        text = await _text(guest)
        other = re.sub(before, after, text, count=1)
        assert other != text, "the text has changed, and this row with it"
        return [await _sent(guest, other, keys.sign_text(other, keys.ethereum_wallet(31)))]

    return does


def signed(spoil) -> Doing:
    """The text as it was given, with a signature made otherwise."""

    async def does(scene: Scene):
        guest = await scene.guest()
        text = await _text(guest)
        return [await _sent(guest, text, spoil(text))]

    return does


async def _text(guest: Guest) -> str:
    return (await guest.ethereum_text()).form("/sign-in/ethereum")["text"]


async def _sent(guest: Guest, text: str, signature: str):
    """Send them, and ask for the session."""
    form = (await guest.ethereum_text()).form("/sign-in/ethereum")
    shown = await guest.person.post(
        "/sign-in/ethereum", form | {"text": text, "signature": signature}
    )
    assert (await guest.have_signed()).path.startswith("/sign-in?")
    return shown


async def replay(scene: Scene):
    """The text that alice's wallet has signed is sent again, from her browser and another."""
    alice, eve = await scene.guest(), await scene.guest(66)
    text = await _text(alice)
    signature = keys.sign_text(text, keys.ethereum_wallet(31))
    form = (await alice.ethereum_text()).form("/sign-in/ethereum")
    sent = form | {"text": text, "signature": signature}
    assert (await alice.person.post("/sign-in/ethereum", sent)).path.startswith("/sign-in/name")
    return [await alice.person.post("/sign-in/ethereum", sent), await _sent(eve, text, signature)]


async def of_another_browser(scene: Scene):
    alice, eve = await scene.guest(), await scene.guest(66)
    text = await _text(alice)
    return [await _sent(eve, text, keys.sign_text(text, keys.ethereum_wallet(31)))]


async def late(scene: Scene):
    guest = await scene.guest()
    text = await _text(guest)
    scene.world.clock.advance(VALID_S)
    return [await _sent(guest, text, keys.sign_text(text, keys.ethereum_wallet(31)))]


async def of_tomorrow(scene: Scene):
    guest = await scene.guest()
    text = re.sub(
        r"\d{4}-\d\d-\d\dT[0-9:]{8}Z",
        lambda at: f"{datetime.fromisoformat(at[0]) + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}",
        await _text(guest),
    )
    return [await _sent(guest, text, keys.sign_text(text, keys.ethereum_wallet(31)))]


async def of_another_kind(scene: Scene):
    """The k1 of a Lightning code, as the nonce."""
    guest = await scene.guest()
    k1 = re.search(r"k1=(\w+)", await guest.lnurl())[1]
    text = re.sub(r"Nonce: \w+", f"Nonce: {k1}", await _text(guest))
    return [await _sent(guest, text, keys.sign_text(text, keys.ethereum_wallet(31)))]


async def of_signing_in_as_a_link(scene: Scene):
    """Mallory wants alice's wallet: what alice signs to sign in is sent from his own pages."""
    alice = await scene.guest()
    text = await _text(alice)
    signature = keys.sign_text(text, keys.ethereum_wallet(31))
    form = (await scene.mallory.get("/sign-in/lightning?add=1")).form("/sign-in/finish")
    shown = await scene.mallory.post(
        "/sign-in/ethereum", form | {"text": text, "signature": signature}
    )
    return [shown]


async def nobodys(scene: Scene):
    guest = await scene.guest()
    return [
        await guest.person.send("/sign-in/ethereum", TEXT, address=address)
        for address in ("0x" + "00" * 20, "0x1234", "vitalik.eth", "")
    ]


def _high_s(text: str) -> str:
    """The other s, and v turned with it: it recovers to another spelling of the same signer."""
    raw = bytes.fromhex(keys.sign_text(text, keys.ethereum_wallet(31))[2:])
    s = ORDER - int.from_bytes(raw[32:64], "big")
    return "0x" + (raw[:32] + s.to_bytes(32, "big") + bytes([55 - raw[64]])).hex()


ATTACKS = (
    Attack("signs in by a text that was used", replay, 200, STAYS),
    Attack("signs in by the text of another browser", of_another_browser, 200, STAYS),
    Attack("signs in by a text for another site", altered(r"^\S+ wants", "evil.example wants"),
           200, STAYS),
    Attack("signs in by a text for another URI", altered(r"URI: \S+", "URI: https://evil.example"),
           200, STAYS),
    Attack("signs in by a text for another chain", altered(r"Chain ID: \d+", "Chain ID: 10"), 200,
           STAYS),
    Attack("signs in by a text that has run out", late, 200, STAYS),
    Attack("signs in by a text of tomorrow", of_tomorrow, 200, STAYS),
    Attack("makes a text live for a year",
           altered(r"Expiration Time: 2026", "Expiration Time: 2027"), 200, STAYS),
    Attack("alters what the text is good for", altered("It moves no money", "It moves all money"),
           200, STAYS),
    Attack("alters the network in the text", altered("network simnet", "network mainnet"), 200,
           STAYS),
    Attack("puts another address into the text",
           altered(r"0x[0-9a-fA-F]{40}", keys.ethereum_wallet(66).address), 200, STAYS),
    Attack("makes a nonce up", altered(r"Nonce: \w+", "Nonce: " + "ab" * 32), 200, STAYS),
    Attack("uses a k1 as the nonce of a text", of_another_kind, 200, STAYS),
    Attack("adds a line to the text", altered(r"\Z", "\nResources:\n- https://evil.example"), 200,
           STAYS),
    Attack("leaves a line of the text out", altered(r"\nVersion: 1", ""), 200, STAYS),
    Attack("signs for another's address",
           signed(lambda text: keys.sign_text(text, keys.ethereum_wallet(66))), 200, STAYS),
    Attack("signs another text than he sends",
           signed(lambda text: keys.sign_text(text + " ", keys.ethereum_wallet(31))), 200, STAYS),
    Attack("sends a signature of zeros", signed(lambda _: "0x" + "00" * 65), 200, STAYS),
    Attack("sends a signature that is too short", signed(lambda _: "0x00"), 200, STAYS),
    Attack("sends what is no signature", signed(lambda _: "<script>alert(1)</script>"), 200, STAYS),
    Attack("sends four kilobytes as a signature", signed(lambda _: "0x" + "11" * 4097), 200,
           STAYS),
    Attack("links a wallet by what it signed to sign in", of_signing_in_as_a_link, 200, STAYS),
    Attack("asks for a text for nobody's address", nobodys, (400, 422), "address"),
)  # fmt: skip
