"""Attacks on signing in with a Nostr key (NIP-98)."""

from __future__ import annotations

import json

from node.clock import now_s
from node.flows.sign_in.asking import VALID_S
from node.flows.sign_in.nostr import SKEW_S
from tests.flows.sign_in import keys
from tests.web.attacks.attack import Attack, Doing
from tests.web.attacks.scene import Scene
from tests.web.login.conftest import Guest

STAYS = "/sign-in/nostr?"
PATH = "/sign-in/nostr"


def altered(**changes) -> Doing:
    """The event is altered, and then signed by the right key."""

    async def does(scene: Scene):
        guest = await scene.guest()
        return [await _unsigned(guest, await guest.nostr(**changes))]

    return does


def timed(seconds: int) -> Doing:
    """The event is signed with a time so far from now."""

    async def does(scene: Scene):
        guest = await scene.guest()
        at_s = now_s(scene.world.clock) + seconds
        return [await _unsigned(guest, await guest.nostr(created_at=at_s))]

    return does


def spoiled(**changes: str) -> Doing:
    """A field of the event is altered after it was signed."""

    async def does(scene: Scene):
        guest = await scene.guest()
        shown, event = await guest.nostr_event()
        signed = json.loads(keys.sign_event(event, keys.nostr_keys(31)))
        sent = shown.form(PATH) | {"event": json.dumps(signed | changes)}
        return [await _unsigned(guest, await guest.person.post(PATH, sent))]

    return does


def tagged(change) -> Doing:
    """The event is signed with other tags."""

    async def does(scene: Scene):
        guest = await scene.guest()
        _, event = await guest.nostr_event()
        shown = await guest.nostr(tags=change(json.loads(event)["tags"]))
        return [await _unsigned(guest, shown)]

    return does


async def _unsigned(guest: Guest, shown):
    assert (await guest.have_signed()).path.startswith("/sign-in?")
    return shown


async def replay(scene: Scene):
    alice, eve = await scene.guest(), await scene.guest(66)
    shown, event = await alice.nostr_event()
    signed = keys.sign_event(event, keys.nostr_keys(31))
    sent = shown.form(PATH) | {"event": signed}
    assert (await alice.person.post(PATH, sent)).path.startswith("/sign-in/name")
    eves = (await eve.nostr_event())[0].form(PATH) | {"event": signed}
    return [await alice.person.post(PATH, sent), await eve.person.post(PATH, eves)]


async def of_another_browser(scene: Scene):
    alice, eve = await scene.guest(), await scene.guest(66)
    _, event = await alice.nostr_event()
    signed = keys.sign_event(event, keys.nostr_keys(31))
    eves = (await eve.nostr_event())[0].form(PATH) | {"event": signed}
    return [await eve.person.post(PATH, eves)]


async def late(scene: Scene):
    """The challenge is over, though the event is of now."""
    guest = await scene.guest()
    shown, event = await guest.nostr_event()
    scene.world.clock.advance(VALID_S)
    signed = keys.sign_event(
        event, keys.nostr_keys(31), created_at=now_s(scene.world.clock)
    )  # fmt: skip
    sent = shown.form(PATH) | {"event": signed}
    return [await _unsigned(guest, await guest.person.post(PATH, sent))]


async def no_event(scene: Scene):
    guest = await scene.guest()
    form = (await guest.nostr_event())[0].form(PATH)
    return [
        await guest.person.post(PATH, form | {"event": text})
        for text in ("", "{}", "[]", "null", "<script>", '{"id": 1}', "{" * 3000)
    ]


ATTACKS = (
    Attack("signs in by an event that was used", replay, 200, STAYS),
    Attack("signs in by the event of another browser", of_another_browser, 200, STAYS),
    Attack("signs in by a stale event", timed(-SKEW_S - 1), 200, STAYS),
    Attack("signs in by an event of the future", timed(SKEW_S + 1), 200, STAYS),
    Attack("signs in by an event whose challenge has run out", late, 200, STAYS),
    Attack("signs in by an event for another URL", altered(u="https://evil.example/sign-in/nostr"),
           200, STAYS),
    Attack("signs in by an event for another page", altered(u="http://127.0.0.1:8080/"), 200,
           STAYS),
    Attack("signs in by an event for another method", altered(method="GET"), 200, STAYS),
    Attack("signs in by an event of another kind", altered(kind=1), 200, STAYS),
    Attack("makes the challenge of an event up", altered(challenge="ab" * 32), 200, STAYS),
    Attack("gives the event another content", altered(content="I pay mallory"), 200, STAYS),
    Attack("leaves the content of an event out", altered(content=""), 200, STAYS),
    Attack("leaves the challenge out of an event",
           tagged(lambda tags: [tag for tag in tags if tag[0] != "challenge"]), 200, STAYS),
    Attack("has one tag read in two ways",
           tagged(lambda tags: [*tags, ["u", "https://evil.example"]]), 200, STAYS),
    Attack("hides a tag among many",
           tagged(lambda tags: [*tags, *[["t", str(one)] for one in range(20)]]), 200, STAYS),
    Attack("alters the id of an event", spoiled(id="00" * 32), 200, STAYS),
    Attack("alters the signature of an event", spoiled(sig="11" * 64), 200, STAYS),
    Attack("puts another author on an event",
           spoiled(pubkey=keys.nostr_keys(66).public_key().to_hex()), 200, STAYS),
    Attack("alters the content after signing", spoiled(content="I pay mallory"), 200, STAYS),
    Attack("sends what is no event", no_event, 200, STAYS),
)  # fmt: skip
