"""Attacks on signing in over Lightning (LNURL-auth, LUD-04)."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from node.flows.sign_in.asking import PROOF_VALID_S, VALID_S
from tests.flows.sign_in import keys
from tests.flows.sign_in.keys import ORDER
from tests.web.attacks.attack import Attack, Doing
from tests.web.attacks.scene import Scene
from tests.web.login.conftest import Guest

ALICES, NEW = 11, 31


def altered(**changes: str) -> Doing:
    """A wallet's call with other parameters than the code has."""

    async def does(scene: Scene):
        guest = await scene.guest()
        url = await guest.lnurl()
        return await _called(scene, guest, guest.lightning.answer(url) | changes)

    return does


def spelled(spoil) -> Doing:
    """A good signature, spelled otherwise: (r, s, DER) to hexadecimal digits."""

    async def does(scene: Scene):
        guest = await scene.guest()
        query = guest.lightning.answer(await guest.lnurl())
        encoded = bytes.fromhex(query["sig"])
        return await _called(
            scene, guest, query | {"sig": spoil(*decode_dss_signature(encoded), encoded).hex()}
        )

    return does


async def _called(scene: Scene, guest: Guest, query: dict[str, str]):
    """The call is made; its browser then gets nothing."""
    shown = await scene.wallet_calls(query)
    after = await guest.have_signed()
    assert after.path.startswith("/sign-in?"), after.text
    return [shown]


async def replay(scene: Scene):
    """Alice's wallet has signed in; who saw its call makes it again, and asks for the session."""
    alice, eve = await scene.guest(ALICES), await scene.guest(ALICES)
    query = alice.lightning.answer(await alice.lnurl())
    await scene.wallet_calls(query)
    assert (await alice.have_signed()).path == "/month"
    await eve.lnurl()
    await scene.from_here()
    return await _called(scene, eve, query)


async def replay_with_another_wallet(scene: Scene):
    alice = await scene.guest(ALICES)
    url = await alice.lnurl()
    await scene.wallet_calls(alice.lightning.answer(url))
    shown = await scene.wallet_calls(keys.LightningWallet(66).answer(url))
    assert "Lightning wallet" not in (await alice.have_signed()).text
    scene.before["session"] = (await scene.rows())["session"]
    scene.before |= {name: (await scene.rows())[name] for name in ("identity", "notice")}
    return [shown]


async def of_another_browser(scene: Scene):
    """The victim's wallet signs the victim's code; the attacker opens the call in his browser."""
    victim, eve = await scene.guest(), await scene.guest(66)
    await eve.lnurl()
    query = victim.lightning.answer(await victim.lnurl())
    await eve.person.get("/sign-in/lightning/callback?" + scene.query_of(query))
    return [await eve.have_signed()]


async def late(scene: Scene):
    guest = await scene.guest()
    query = guest.lightning.answer(await guest.lnurl())
    scene.world.clock.advance(VALID_S)
    return await _called(scene, guest, query)


async def fetched_late(scene: Scene):
    guest = await scene.guest()
    await scene.wallet_calls(guest.lightning.answer(await guest.lnurl()))
    scene.world.clock.advance(PROOF_VALID_S)
    return [await guest.have_signed()]


async def fetched_twice(scene: Scene):
    """The browser's back button, or a second tab, with the same proof."""
    guest = await scene.guest(ALICES)
    await scene.wallet_calls(guest.lightning.answer(await guest.lnurl()))
    form = (await guest.person.get("/sign-in/lightning")).form("/sign-in/finish")
    assert (await guest.person.post("/sign-in/finish", form)).path == "/month"
    await scene.from_here()
    shown = await guest.person.send("/sign-in/lightning", "/sign-in/finish")
    return [shown]


async def scans_first(scene: Scene):
    """Alice adds a wallet; who sees her screen signs first, and her page goes on by itself."""
    alice = Guest(scene.alice)
    alice.person.bare = scene.world.http
    url = await alice.lnurl("?add=1")
    await scene.wallet_calls(keys.LightningWallet(99).answer(url))
    return [await alice.person.send("/sign-in/lightning?add=1", "/sign-in/finish")]


async def says_mine_of_another(scene: Scene):
    """The key that alice has confirmed is not the one that has signed since."""
    alice = Guest(scene.alice)
    alice.person.bare = scene.world.http
    for number in (31, 99):
        url = await alice.lnurl("?add=1")
        await scene.wallet_calls(keys.LightningWallet(number).answer(url))
        if number == 31:
            asked = await alice.person.send("/sign-in/lightning?add=1", "/sign-in/finish")
    form = asked.form("/sign-in/link") | {"whose": "mine"}
    return [await alice.person.post("/sign-in/link", form)]


async def declined(scene: Scene):
    alice = Guest(scene.alice)
    alice.person.bare = scene.world.http
    url = await alice.lnurl("?add=1")
    await scene.wallet_calls(keys.LightningWallet(99).answer(url))
    asked = await alice.person.send("/sign-in/lightning?add=1", "/sign-in/finish")
    form = asked.form("/sign-in/link")
    await alice.person.post("/sign-in/link", form | {"whose": "other"})
    return [await alice.person.post("/sign-in/link", form | {"whose": "mine"})]


async def twice_a_parameter(scene: Scene):
    guest = await scene.guest()
    query = guest.lightning.answer(await guest.lnurl())
    return [await scene.wallet_calls(query, "&action=link")]


async def of_another_kind(scene: Scene):
    """The nonce of an Ethereum text, as a k1."""
    guest = await scene.guest()
    text = (await guest.ethereum_text()).form("/sign-in/ethereum")["text"]
    nonce = text.partition("Nonce: ")[2].partition("\n")[0]
    url = f"http://x/?tag=login&action=login&k1={nonce}"
    return [await scene.wallet_calls(guest.lightning.answer(url))]


def _long_form(_r: int, _s: int, encoded: bytes) -> bytes:
    return bytes([0x30, 0x81, *encoded[1:]])


def _padded(_r: int, _s: int, encoded: bytes) -> bytes:
    length = encoded[3]
    return bytes(
        [0x30, encoded[1] + 1, 2, length + 1, 0, *encoded[4 : 4 + length], *encoded[4 + length :]]
    )


ATTACKS = (
    Attack("signs in by a k1 that was used", replay, 200, "ERROR"),
    Attack("puts another wallet in place of the one that has signed",
           replay_with_another_wallet, 200, "ERROR"),
    Attack("takes a sign-in over by opening the wallet's call", of_another_browser, 200,
           "No wallet has signed yet"),
    Attack("signs in by a k1 that has run out", late, 200, "ERROR"),
    Attack("fetches a sign-in long after the wallet has signed", fetched_late, 200,
           "No wallet has signed yet"),
    Attack("fetches a sign-in twice", fetched_twice, (200, 403), "/sign-in"),
    Attack("becomes a wallet of alice's by scanning her code first", scans_first, 200,
           "Is this wallet yours?"),
    Attack("has his wallet added in place of the one that alice called hers",
           says_mine_of_another, 200, "Is this wallet yours?"),
    Attack("has a wallet added that alice has declined", declined, 200, "No wallet has signed yet"),
    Attack("makes a k1 up", altered(k1="ab" * 32), 200, "ERROR"),
    Attack("signs a k1 with another key than he names",
           altered(key=keys.LightningWallet(66).linking_key), 200, "ERROR"),
    Attack("turns a sign-in into a link", altered(action="link"), 200, "ERROR"),
    Attack("turns a sign-in into a fresh session", altered(action="auth"), 200, "ERROR"),
    Attack("leaves the action out", altered(action=""), 200, "ERROR"),
    Attack("calls with another tag", altered(tag="payRequest"), 200, "ERROR"),
    Attack("has one parameter read in two ways", twice_a_parameter, 200, "ERROR"),
    Attack("uses the nonce of another kind as a k1", of_another_kind, 200, "ERROR"),
    Attack("names a key that is no point of the curve", altered(key="02" + "ff" * 32), 200,
           "ERROR"),
    Attack("names the point at infinity", altered(key="00" * 33), 200, "ERROR"),
    Attack("spells the key uncompressed", altered(key="04" + "11" * 64), 200, "ERROR"),
    Attack("signs with the high s",
           spelled(lambda r, s, _: encode_dss_signature(r, ORDER - s)), 200, "ERROR"),
    Attack("signs with r and s of zero", spelled(lambda *_: encode_dss_signature(0, 0)), 200,
           "ERROR"),
    Attack("signs with s beyond the order",
           spelled(lambda r, s, _: encode_dss_signature(r, ORDER + s)), 200, "ERROR"),
    Attack("adds bytes after the signature", spelled(lambda _r, _s, der: der + b"\0"), 200,
           "ERROR"),
    Attack("cuts the signature", spelled(lambda _r, _s, der: der[:-1]), 200, "ERROR"),
    Attack("spells the length of the signature long", spelled(_long_form), 200, "ERROR"),
    Attack("pads r of the signature", spelled(_padded), 200, "ERROR"),
    Attack("signs compactly instead of in DER",
           spelled(lambda r, s, _: r.to_bytes(32, "big") + s.to_bytes(32, "big")), 200, "ERROR"),
    Attack("sends markup as a signature", altered(sig="<script>"), 200, "ERROR"),
)  # fmt: skip
