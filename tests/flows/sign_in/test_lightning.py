"""LNURL-auth: what is replayed, altered, late or somebody else's is no sign-in."""

from __future__ import annotations

import json

import pytest

from node.errors import BadInput, Busy, Conflict, Forbidden
from node.flows.sign_in import asking, lightning, nostr
from node.flows.sign_in.asking import OF_BROWSER_MAX, VALID_S
from node.flows.sign_in.finish import SignedIn
from tests.flows.sign_in import keys
from tests.flows.sign_in.conftest import URL


async def test_a_wallet_signs_what_is_shown(ann, sign_in):
    shown = await lightning.show(sign_in, ann.secret)
    assert keys.url_of_lnurl(shown.lnurl) == shown.url
    assert shown.url.startswith(f"{URL}/sign-in/lightning/callback?tag=login&k1=")
    assert shown.keyauth == "keyauth" + shown.url.removeprefix("https")
    proof = await lightning.signed(sign_in, ann.lightning.answer(shown.url))
    assert (proof.kind, proof.key) == ("lightning", ann.lightning.linking_key)


async def test_digits_may_be_upper_case_and_name_the_same_wallet(ann, sign_in):
    shown = await lightning.show(sign_in, ann.secret)
    answer = ann.lightning.answer(shown.url)
    upper = {name: answer[name].upper() for name in ("k1", "sig", "key")}
    proof = await lightning.signed(sign_in, answer | upper)
    assert proof.key == ann.lightning.linking_key


CHANGES = {
    "no tag": {"tag": ""},
    "the tag of a withdrawal": {"tag": "withdrawRequest"},
    "no k1": {"k1": ""},
    "a short k1": {"k1": "ab" * 31},
    "a long k1": {"k1": "ab" * 33},
    "a k1 that is no number": {"k1": "zz" * 32},
    "no signature": {"sig": ""},
    "a signature that is no DER": {"sig": "ab" * 64},
    "no key": {"key": ""},
    "a key that is no point": {"key": "02" + "ff" * 32},
    "an uncompressed key": {"key": "04" + "ab" * 64},
    "another action": {"action": "link"},
    "no action": {"action": ""},
    "another member's key": {"key": keys.LightningWallet(22).linking_key},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
async def test_an_altered_call_is_refused(ann, sign_in, change):
    shown = await lightning.show(sign_in, ann.secret)
    with pytest.raises((BadInput, Forbidden)):
        await lightning.signed(sign_in, ann.lightning.answer(shown.url) | change)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda sig: sig + "00",
        lambda sig: sig[:-2],
        lambda sig: "3081" + sig[2:],
        lambda sig: f"30{len(sig) // 2 - 1:02x}0221" + "00" + sig[8:],
        lambda sig: "31" + sig[2:],
    ],
    ids=["longer", "shorter", "long form of the length", "one more zero", "no sequence"],
)
async def test_a_signature_in_another_spelling_is_refused(ann, sign_in, spoil):
    shown = await lightning.show(sign_in, ann.secret)
    answer = ann.lightning.answer(shown.url)
    with pytest.raises(BadInput):
        await lightning.signed(sign_in, answer | {"sig": spoil(answer["sig"])})


async def test_the_high_s_is_refused(ann, sign_in):
    shown = await lightning.show(sign_in, ann.secret)
    answer = ann.lightning.answer(shown.url)
    high = ann.lightning.sign(answer["k1"], high_s=True)
    with pytest.raises(BadInput, match="high s"):
        await lightning.signed(sign_in, answer | {"sig": high})


async def test_a_signature_of_another_k1_is_refused(ann, sign_in):
    first, second = [await lightning.show(sign_in, ann.secret) for _ in range(2)]
    theirs = ann.lightning.answer(first.url)["sig"]
    with pytest.raises(Forbidden):
        await lightning.signed(sign_in, ann.lightning.answer(second.url) | {"sig": theirs})


async def test_a_k1_that_was_never_asked_is_refused(ann, sign_in):
    url = f"{URL}/sign-in/lightning/callback?tag=login&k1={'ab' * 32}&action=login"
    with pytest.raises(Conflict):
        await lightning.signed(sign_in, ann.lightning.answer(url))


async def test_a_k1_is_used_once(ann, bob, sign_in):
    shown = await lightning.show(sign_in, ann.secret)
    await lightning.signed(sign_in, ann.lightning.answer(shown.url))
    for wallet in (ann.lightning, bob.lightning):
        with pytest.raises(Conflict):
            await lightning.signed(sign_in, wallet.answer(shown.url))
    assert isinstance(await ann.finish("ann"), SignedIn)


async def test_a_k1_that_has_run_out_is_refused(ann, sign_in, clock):
    shown = await lightning.show(sign_in, ann.secret)
    clock.advance(VALID_S)
    with pytest.raises(Conflict):
        await lightning.signed(sign_in, ann.lightning.answer(shown.url))


async def test_the_nonce_of_another_kind_is_refused(ann, sign_in):
    event = json.loads(await nostr.show(sign_in, ann.secret))
    k1 = event["tags"][2][1]
    url = f"{URL}/sign-in/lightning/callback?tag=login&k1={k1}&action=login"
    with pytest.raises(Conflict):
        await lightning.signed(sign_in, ann.lightning.answer(url))


async def test_only_hashes_of_secrets_are_stored(ann, sign_in):
    shown = await lightning.show(sign_in, ann.secret)
    k1 = ann.lightning.answer(shown.url)["k1"]
    async with sign_in.store.read() as tx:
        row = await tx.row("SELECT * FROM sign_in_challenge")
    assert not {k1, ann.secret} & {str(value) for value in row}


async def test_a_browser_has_so_many_challenges_and_the_oldest_is_refused(ann, bob, sign_in, clock):
    other = await lightning.show(sign_in, bob.secret)
    shown = []
    for _ in range(OF_BROWSER_MAX + 1):
        shown.append(await lightning.show(sign_in, ann.secret))
        clock.advance(1)
    with pytest.raises(Conflict):
        await lightning.signed(sign_in, ann.lightning.answer(shown[0].url))
    for one in (shown[1], shown[-1], other):
        await asking.find(sign_in, "lightning", ann.lightning.answer(one.url)["k1"])


async def test_too_many_challenges_of_everybody_are_refused(ann, bob, sign_in, monkeypatch, clock):
    monkeypatch.setattr(asking, "CHALLENGES_MAX", 1)
    await lightning.show(sign_in, ann.secret)
    with pytest.raises(Busy):
        await lightning.show(sign_in, bob.secret)
    clock.advance(VALID_S)
    await lightning.show(sign_in, bob.secret)
