"""What is no sign-in: everything that is replayed, altered, late, or somebody else's."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from node.errors import BadInput, BadTarget, Busy, Conflict, Forbidden, RailUnavailable
from node.flows.sign_in import asking, ethereum, lightning, nostr
from node.flows.sign_in.asking import OF_BROWSER_MAX, VALID_S, waiting
from node.flows.sign_in.finish import SignedIn, Unsigned
from node.wallet.stablecoin.siwe import parse_link_text
from tests.conftest import MONTH
from tests.flows.sign_in import keys
from tests.flows.sign_in.conftest import URL
from tests.wallet.stablecoin.fake_chain import address_of, new_chain

WALLET = address_of("a contract wallet")
START_S = MONTH.starts_s + 3600


@pytest.fixture(autouse=True)
async def nothing_is_proven(request, ann, bob):
    """After a refusal nobody is signed in, and no proof waits for anybody."""
    yield
    if "refus" in request.node.name:
        assert await waiting(ann.sign_in, ann.secret) is None
        assert await waiting(bob.sign_in, bob.secret) is None
        assert await ann.finish("ann") == Unsigned()
        assert await bob.finish("bob") == Unsigned()


# Lightning


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


# Ethereum


async def ethereum_text(person, **changes) -> str:
    text = await ethereum.show(person.sign_in, person.secret, person.ethereum.address)
    return replace(parse_link_text(text), **changes).text() if changes else text


async def test_an_address_signs_what_is_shown(ann, sign_in):
    text = await ethereum_text(ann)
    assert text.startswith("flattr.example wants you to sign in")
    assert "network simnet" in text
    signature = keys.sign_text(text, ann.ethereum)
    proof = await ethereum.signed(sign_in, ann.secret, text, signature)
    assert (proof.kind, proof.key) == ("ethereum", ann.ethereum.address)


ALTERED = {
    "another site": {"domain": "evil.example"},
    "another port": {"domain": "flattr.example:8443"},
    "another uri": {"uri": "https://evil.example"},
    "a deeper uri": {"uri": URL + "/sign-in"},
    "another chain": {"chain_id": 1},
    "another purpose": {"statement": "I give everything away."},
    "a nonce that was never asked": {"nonce": "ab" * 32},
    "a later time": {"issued_s": START_S + VALID_S, "expires_s": START_S + 2 * VALID_S},
    "a time that is over": {"issued_s": START_S - VALID_S, "expires_s": START_S},
}


@pytest.mark.parametrize("change", ALTERED.values(), ids=ALTERED.keys())
async def test_an_altered_text_is_refused_though_it_is_signed(ann, sign_in, change):
    altered = await ethereum_text(ann, **change)
    with pytest.raises((BadInput, Conflict)):
        await ethereum.signed(sign_in, ann.secret, altered, keys.sign_text(altered, ann.ethereum))


async def test_a_text_with_another_address_in_it_is_refused(ann, bob, sign_in):
    altered = await ethereum_text(ann, address=bob.ethereum.address)
    with pytest.raises(Forbidden):
        await ethereum.signed(sign_in, ann.secret, altered, keys.sign_text(altered, ann.ethereum))


async def test_a_signature_of_another_is_refused(ann, bob, sign_in):
    text = await ethereum_text(ann)
    with pytest.raises(Forbidden):
        await ethereum.signed(sign_in, ann.secret, text, keys.sign_text(text, bob.ethereum))


async def test_a_text_in_another_browser_is_refused(ann, bob, sign_in):
    text = await ethereum_text(ann)
    with pytest.raises(Conflict):
        await ethereum.signed(sign_in, bob.secret, text, keys.sign_text(text, ann.ethereum))


async def test_a_text_that_has_run_out_is_refused(ann, sign_in, clock):
    text = await ethereum_text(ann)
    clock.advance(VALID_S)
    with pytest.raises(Conflict):
        await ethereum.signed(sign_in, ann.secret, text, keys.sign_text(text, ann.ethereum))


async def test_a_text_is_used_once(ann, sign_in):
    text = await ethereum_text(ann)
    signature = keys.sign_text(text, ann.ethereum)
    await ethereum.signed(sign_in, ann.secret, text, signature)
    with pytest.raises(Conflict):
        await ethereum.signed(sign_in, ann.secret, text, signature)


@pytest.mark.parametrize("address", ["", "0x12", "0x" + "0" * 40, "ann.eth"])
async def test_what_is_nobodys_address_is_refused(ann, sign_in, address):
    with pytest.raises(BadTarget):
        await ethereum.show(sign_in, ann.secret, address)


async def test_a_contract_wallet_is_asked_and_known_with_its_chain(ann, sign_in):
    sign_in.chain.wallets = {WALLET}
    text = await ethereum.show(sign_in, ann.secret, WALLET)
    proof = await ethereum.signed(sign_in, ann.secret, text, WALLET.lower())
    assert proof.key == f"eip155:{sign_in.chain_id}:{WALLET}"


async def test_a_contract_that_says_no_is_refused(ann, sign_in):
    sign_in.chain.wallets = {WALLET}
    text = await ethereum.show(sign_in, ann.secret, WALLET)
    with pytest.raises(Forbidden):
        await ethereum.signed(sign_in, ann.secret, text, "0x1234")


async def test_a_contract_on_a_node_without_a_chain_is_refused(ann, sign_in):
    alone = replace(sign_in, chain=None, chain_id=1)
    text = await ethereum.show(alone, ann.secret, WALLET)
    with pytest.raises(Forbidden):
        await ethereum.signed(alone, ann.secret, text, WALLET.lower())


async def test_a_contract_that_cannot_be_asked_can_be_asked_again(ann, sign_in):
    chain = new_chain(0)
    chain.wallets, chain.away = {WALLET}, True
    away = replace(sign_in, chain=chain)
    text = await ethereum.show(away, ann.secret, WALLET)
    with pytest.raises(RailUnavailable):
        await ethereum.signed(away, ann.secret, text, WALLET.lower())
    chain.away = False
    assert await ethereum.signed(away, ann.secret, text, WALLET.lower())


# Nostr


async def test_an_event_signs_in(ann, sign_in):
    shown = await nostr.show(sign_in, ann.secret)
    proof = await nostr.signed(sign_in, ann.secret, keys.sign_event(shown, ann.nostr))
    assert (proof.kind, proof.key) == ("nostr", ann.nostr.public_key().to_hex())


EVENTS = {
    "another kind": {"kind": 1},
    "some content": {"content": "hello"},
    "another site": {"u": "https://evil.example/sign-in/nostr"},
    "plain http": {"u": "http://flattr.example/sign-in/nostr"},
    "a longer path": {"u": URL + "/sign-in/nostr?x=1"},
    "another method": {"method": "GET"},
    "a challenge that was never asked": {"challenge": "ab" * 32},
    "an empty challenge": {"challenge": ""},
}


@pytest.mark.parametrize("change", EVENTS.values(), ids=EVENTS.keys())
async def test_an_altered_event_is_refused_though_it_is_signed(ann, sign_in, change):
    signed = keys.sign_event(await nostr.show(sign_in, ann.secret), ann.nostr, **change)
    with pytest.raises((BadInput, Conflict)):
        await nostr.signed(sign_in, ann.secret, signed)


@pytest.mark.parametrize("seconds", [-61, 61])
async def test_an_event_of_another_time_is_refused(ann, sign_in, seconds):
    shown = await nostr.show(sign_in, ann.secret)
    at_s = json.loads(shown)["created_at"] + seconds
    with pytest.raises(BadInput, match="clock"):
        await nostr.signed(sign_in, ann.secret, keys.sign_event(shown, ann.nostr, created_at=at_s))


@pytest.mark.parametrize("seconds", [-60, 60])
async def test_a_clock_that_is_a_minute_off_is_good_enough(ann, sign_in, seconds):
    shown = await nostr.show(sign_in, ann.secret)
    at_s = json.loads(shown)["created_at"] + seconds
    signed = keys.sign_event(shown, ann.nostr, created_at=at_s)
    assert await nostr.signed(sign_in, ann.secret, signed)


@pytest.mark.parametrize("tag", [0, 1, 2])
async def test_an_event_without_a_tag_or_with_two_of_it_is_refused(ann, sign_in, tag):
    shown = await nostr.show(sign_in, ann.secret)
    tags = json.loads(shown)["tags"]
    twice = [*tags, [tags[tag][0], "https://evil.example"]]
    without = [one for number, one in enumerate(tags) if number != tag]
    longer = [[*one, "more"] if number == tag else one for number, one in enumerate(tags)]
    for some in (twice, without, longer):
        signed = keys.sign_event(shown, ann.nostr, tags=some)
        with pytest.raises(BadInput):
            await nostr.signed(sign_in, ann.secret, signed)


@pytest.mark.parametrize("field", ["id", "sig", "pubkey", "created_at", "tags", "content"])
async def test_an_event_that_was_changed_after_signing_is_refused(ann, bob, sign_in, field):
    shown = await nostr.show(sign_in, ann.secret)
    event = json.loads(keys.sign_event(shown, ann.nostr))
    other = json.loads(keys.sign_event(await nostr.show(sign_in, ann.secret), bob.nostr))
    event[field] = {"created_at": event["created_at"] + 1, "content": "x"}.get(field, other[field])
    with pytest.raises((BadInput, Forbidden)):
        await nostr.signed(sign_in, ann.secret, json.dumps(event))


@pytest.mark.parametrize("text", ["", "{}", "[]", "x" * 5000, "null", '{"kind": 27235}'])
async def test_what_is_no_event_is_refused(ann, sign_in, text):
    with pytest.raises(BadInput):
        await nostr.signed(sign_in, ann.secret, text)


async def test_an_event_is_used_once(ann, sign_in):
    signed = keys.sign_event(await nostr.show(sign_in, ann.secret), ann.nostr)
    await nostr.signed(sign_in, ann.secret, signed)
    with pytest.raises(Conflict, match="used before"):
        await nostr.signed(sign_in, ann.secret, signed)


async def test_an_event_in_another_browser_is_refused_and_its_own_may_still_bring_it(
    ann, bob, sign_in
):
    signed = keys.sign_event(await nostr.show(sign_in, ann.secret), ann.nostr)
    with pytest.raises(Conflict):
        await nostr.signed(sign_in, bob.secret, signed)
    assert await waiting(sign_in, bob.secret) is None
    assert await nostr.signed(sign_in, ann.secret, signed)
    assert isinstance(await ann.finish("ann"), SignedIn)


async def test_what_has_run_out_is_deleted(ann, sign_in, clock):
    signed = keys.sign_event(await nostr.show(sign_in, ann.secret), ann.nostr)
    await nostr.signed(sign_in, ann.secret, signed)
    await lightning.show(sign_in, ann.secret)
    clock.advance(3600)
    await lightning.show(sign_in, ann.secret)
    async with sign_in.store.read() as tx:
        tables = ("sign_in_challenge", "sign_in_proof", "seen_event")
        counts = [await tx.value(f"SELECT count(*) FROM {table}") for table in tables]
    assert counts == [1, 0, 0]
