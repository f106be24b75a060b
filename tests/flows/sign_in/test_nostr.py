"""NIP-98: what is replayed, altered, late or somebody else's is no sign-in."""

from __future__ import annotations

import json

import pytest

from node.errors import BadInput, Conflict, Forbidden
from node.flows.sign_in import lightning, nostr
from node.flows.sign_in.asking import VALID_S, waiting
from node.flows.sign_in.finish import SignedIn
from tests.flows.sign_in import keys
from tests.flows.sign_in.conftest import URL


async def test_an_event_signs_in(ann, sign_in):
    shown = await nostr.show(sign_in, ann.secret)
    proof = await nostr.signed(sign_in, ann.secret, keys.sign_event(shown, ann.nostr))
    assert json.loads(shown)["content"] == (
        "Sign in to this flattr-node, on the network simnet. It moves no money."
    )
    assert (proof.kind, proof.key) == ("nostr", ann.nostr.public_key().to_hex())


EVENTS = {
    "another kind": {"kind": 1},
    "some content": {"content": "hello"},
    "no content": {"content": ""},
    "another network": {
        "content": "Sign in to this flattr-node, on the network mainnet. It moves no money."
    },
    "another purpose": {
        "content": "Let this wallet sign in as the member ann of this flattr-node, on the network"
        " simnet. It moves no money."
    },
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


async def test_a_challenge_that_has_run_out_is_refused_in_an_event_of_now(ann, sign_in, clock):
    shown = await nostr.show(sign_in, ann.secret)
    clock.advance(VALID_S)
    at_s = json.loads(shown)["created_at"] + VALID_S
    signed = keys.sign_event(shown, ann.nostr, created_at=at_s)
    with pytest.raises(Conflict):
        await nostr.signed(sign_in, ann.secret, signed)


async def test_an_event_is_used_once(ann, sign_in):
    signed = keys.sign_event(await nostr.show(sign_in, ann.secret), ann.nostr)
    await nostr.signed(sign_in, ann.secret, signed)
    with pytest.raises(Conflict, match="signed before"):
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
