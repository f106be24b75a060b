"""What signs nobody in: calls, forms and cookies that are not what was asked for."""

from __future__ import annotations

import pytest

from node.config import WebSettings
from node.flows.sign_in.asking import VALID_S
from node.store import members
from tests.flows.sign_in import keys
from tests.web.conftest import open_world
from tests.web.login.conftest import Guest
from tests.web.pages.conftest import People

EVIL = "https://evil.example"


async def nobody(world) -> bool:
    async with world.node.store.read() as tx:
        sessions = await tx.value("SELECT count(*) FROM session")
        return await members.count(tx) == 0 and sessions == 0


CHANGES = {
    "no tag": {"tag": ""},
    "another tag": {"tag": "payRequest"},
    "another action": {"action": "link"},
    "another k1": {"k1": "ab" * 32},
    "another key": {"key": keys.LightningWallet(22).linking_key},
    "no signature": {"sig": ""},
    "half a signature": {"sig": "3006"},
    "what is no number": {"sig": "<script>"},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
async def test_an_altered_call_is_told_why(guests, world, change):
    ann = await guests()
    told = await ann.call(await ann.lnurl(), **change)
    assert told["status"] == "ERROR"
    assert len(told["reason"]) > 20
    await ann.have_signed()
    assert await nobody(world)


async def test_a_parameter_twice_is_refused(guests, world):
    ann = await guests()
    url = await ann.lnurl()
    query = ann.lightning.answer(url)
    path = "&".join(f"{name}={value}" for name, value in [*query.items(), ("action", "login")])
    base = "/sign-in/lightning/callback?"
    async with ann.person.bare.get(world.url + base + path) as response:
        assert (await response.json())["status"] == "ERROR"
    assert await ann.call(url) == {"status": "OK"}


async def test_a_call_is_good_once(guests, world):
    ann = await guests()
    url = await ann.lnurl()
    assert (await ann.call(url))["status"] == "OK"
    assert (await ann.call(url))["status"] == "ERROR"
    ann.number = 22
    assert (await ann.call(url))["status"] == "ERROR"
    first = keys.LightningWallet(11).linking_key[:8]
    assert f"Lightning wallet {first}" in (await ann.have_signed()).text
    assert await nobody(world)


async def test_a_call_that_comes_late_is_refused(guests, world, clock):
    ann = await guests()
    url = await ann.lnurl()
    clock.advance(VALID_S)
    assert (await ann.call(url))["status"] == "ERROR"
    await ann.have_signed()
    assert await nobody(world)


async def test_who_makes_the_call_in_a_browser_is_not_signed_in(guests, world):
    """The wallet's call, followed as a link in the browser of somebody else."""
    ann, bob = await guests(), await guests(22)
    await bob.person.get("/sign-in/lightning")
    query = ann.lightning.answer(await ann.lnurl())
    path = "/sign-in/lightning/callback?" + "&".join(f"{k}={v}" for k, v in query.items())
    await bob.person.get(path)
    assert "No wallet has signed yet" in (await bob.have_signed()).text
    assert (await ann.have_signed()).path.startswith("/sign-in/name")
    assert await nobody(world)


async def test_a_text_or_event_of_another_browser_is_refused(guests, world):
    ann, bob = await guests(), await guests(22)
    text = (await ann.ethereum_text()).form("/sign-in/ethereum")["text"]
    signature = keys.sign_text(text, keys.ethereum_wallet(11))
    shown = await bob.ethereum(text=text, signature=signature)
    assert "asked by another browser" in shown.text
    _, event = await ann.nostr_event()
    form = (await bob.person.get("/sign-in/nostr")).form("/sign-in/nostr")
    signed = keys.sign_event(event, keys.nostr_keys(11))
    shown = await bob.person.post("/sign-in/nostr", form | {"event": signed})
    assert "asked by another browser" in shown.text
    assert await nobody(world)


async def test_a_text_for_another_site_is_refused(guests, world):
    ann = await guests()
    text = (await ann.ethereum_text()).form("/sign-in/ethereum")["text"]
    for altered in (
        text.replace("127.0.0.1:8080 wants", "evil.example wants"),
        text.replace("URI: http://127.0.0.1:8080", f"URI: {EVIL}"),
        text.replace("Chain ID: 1", "Chain ID: 10"),
        text.replace("It moves no money", "It moves all money"),
        text + "\n",
        text.replace("\n", "\n\n"),
    ):
        signature = keys.sign_text(altered, keys.ethereum_wallet(11))
        shown = await ann.ethereum(text=altered, signature=signature)
        assert shown.path.startswith("/sign-in/ethereum?"), altered
    assert await nobody(world)


async def test_an_event_for_another_site_is_refused(guests, world):
    ann = await guests()
    for change in ({"u": EVIL}, {"method": "GET"}, {"kind": 1}, {"challenge": "ab" * 32}):
        assert (await ann.nostr(**change)).path.startswith("/sign-in/nostr?"), change
    assert await nobody(world)


async def test_an_event_is_good_once(guests):
    ann = await guests()
    shown, event = await ann.nostr_event()
    form = shown.form("/sign-in/nostr") | {"event": keys.sign_event(event, keys.nostr_keys(11))}
    assert (await ann.person.post("/sign-in/nostr", form)).path.startswith("/sign-in/name")
    assert "signed before" in (await ann.person.post("/sign-in/nostr", form)).text


FORMS = {
    "/sign-in/finish": {},
    "/sign-in/name": {"name": "ann"},
    "/sign-in/token": {"secret": "x"},
    "/sign-in/ethereum": {"text": "x", "signature": "0x"},
    "/sign-in/ethereum/text": {"address": "0x"},
    "/sign-in/nostr": {"event": "{}"},
    "/sign-out": {},
}


@pytest.mark.parametrize("path", FORMS)
async def test_a_form_of_a_foreign_site_or_without_its_token_is_refused(guests, world, path):
    ann = await guests()
    await ann.join("ann")
    await ann.prove()
    token = (await ann.person.get("/sign-out")).form("/sign-out")["token"]
    form = FORMS[path]
    for headers, more in (
        ({"Origin": EVIL}, {"token": token}),
        ({"Sec-Fetch-Site": "cross-site"}, {"token": token}),
        ({"Sec-Fetch-Site": "same-site"}, {"token": token}),
        ({"Origin": "", "Sec-Fetch-Site": ""}, {"token": token}),
        ({}, {}),
        ({}, {"token": token[::-1]}),
    ):
        shown = await ann.person.post(path, form | more, headers=headers)
        assert shown.status == 403, (headers, more)
    assert await ann.name()
    async with world.node.store.read() as tx:
        assert await members.count(tx) == 1
        assert await tx.value("SELECT count(*) FROM session") == 1


async def test_a_form_of_one_browser_is_refused_in_another(guests):
    ann, bob = await guests(), await guests(22)
    await ann.prove()
    theirs = (await bob.person.get("/sign-in/lightning")).form("/sign-in/finish")
    assert (await ann.person.post("/sign-in/finish", theirs)).status == 403


@pytest.mark.parametrize(
    "after",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)",
     "evil.example", "/month\r\nX: y", "\t//evil.example"],
)  # fmt: skip
async def test_nobody_is_sent_to_another_host_after_signing_in(guests, after):
    ann = await guests()
    await ann.prove()
    form = (await ann.person.get("/sign-in/lightning")).form("/sign-in/finish") | {"next": after}
    asked = await ann.person.post("/sign-in/finish", form)
    form = asked.form("/sign-in/name") | {"name": "ann", "next": after}
    done = await ann.person.post("/sign-in/name", form)
    assert done.path == "/month"


@pytest.mark.parametrize("path", ["/sign-in", "/sign-in/lightning", "/sign-in/ethereum"])
async def test_what_comes_by_the_url_is_shown_as_text(guests, path):
    ann = await guests()
    shown = await ann.person.get(path + '?next=/"><script>alert(1)</script>&add="><script>')
    assert "<script>alert" not in shown.html


async def test_a_name_is_shown_as_text(guests):
    ann = await guests()
    shown = await ann.join('"><script>alert(1)</script>')
    assert shown.status == 400
    assert "<script>alert" not in shown.html
    assert (await ann.person.get("/sign-in/name")).status == 200


async def test_another_members_wallets_and_sessions_are_out_of_reach(guests, world):
    ann, bob = await guests(), await guests(22)
    await ann.join("ann")
    await bob.join("bob")
    await bob.nostr("?add=1")
    async with world.node.store.read() as tx:
        row = await tx.row("SELECT id FROM identity WHERE kind = 'nostr'")
        theirs = await tx.row("SELECT session.id FROM session JOIN member ON"
                              " member.id = session.member WHERE name = 'bob'")  # fmt: skip
    token = (await ann.person.get("/sign-out")).form("/sign-out")
    for path in (f"/settings/identities/{row.id}/remove", f"/settings/sessions/{theirs.id}/end"):
        shown = await ann.person.post(path, token)
        assert "you have no" in shown.text.lower(), path
    assert await bob.name()
    assert "npub1" in (await bob.person.get("/settings/identities")).text


async def test_a_wallet_is_not_removed_by_an_old_sign_in(guests, world, clock):
    ann = await guests()
    await ann.join("ann")
    shown = await ann.nostr("?add=1")
    form = next(one for one in shown.read.forms if one["action"].endswith("/remove"))
    clock.advance(600)
    asked = await ann.person.post(form["action"], form["fields"])
    assert asked.path.startswith("/sign-in?")
    async with world.node.store.read() as tx:
        assert await tx.value("SELECT count(*) FROM identity") == 2


@pytest.mark.parametrize("path", ["/settings/identities", "/settings/sessions", "/sign-out"])
async def test_settings_are_for_who_is_signed_in(guests, path):
    assert (await (await guests()).person.get(path)).path.startswith("/sign-in?")


@pytest.mark.parametrize("name", ["flattr", "flattr-visitor"])
async def test_a_secret_that_was_planted_is_worth_nothing(guests, world, name):
    """A cookie of the right shape that the node has not made signs nobody in."""
    ann = await guests()
    ann.person.http.cookie_jar.update_cookies({name: "A" * 43})
    assert not await ann.name()
    assert await nobody(world)


async def test_tries_are_counted_by_address(tmp_path, clock):
    web = WebSettings(port=0, requests_per_minute=100)
    async with open_world(tmp_path, clock, web=web) as world:
        people = People(world)
        person = await people.visitor()
        person.bare = world.http
        ann = Guest(person)
        url = await ann.lnurl()
        query = ann.lightning.answer(url) | {"sig": "00"}
        base = "/sign-in/lightning/callback?"
        path = base + "&".join(f"{name}={value}" for name, value in query.items())
        seen = []
        for _ in range(10):
            async with world.http.get(world.url + path) as response:
                seen.append((response.status, (await response.json())["status"]))
        assert seen == [(200, "ERROR")] * 9 + [(429, "ERROR")]
        clock.advance(60)
        assert await ann.call(url) == {"status": "OK"}
        for opened in people.opened:
            await opened.close()
