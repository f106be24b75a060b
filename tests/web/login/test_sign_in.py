"""Signing in without scripts: each wallet, from the first page to the session and out again."""

from __future__ import annotations

import re

from yarl import URL

from node.flows import sessions
from node.flows.look import notices_of
from node.store import members
from node.store.engine import NEWEST


async def member(world, name: str):
    async with world.node.store.read() as tx:
        return await members.by_name(tx, name)


async def test_a_lightning_wallet_joins_and_comes_back(guests, world):
    ann = await guests()
    assert "Sign in with a wallet" in (await ann.person.get("/sign-in")).text
    done = await ann.join("ann")
    assert done.path == "/month"
    assert "Welcome" in done.text
    assert await member(world, "ann")
    out = await ann.person.send("/sign-out", "/sign-out")
    assert "signed out" in out.text
    assert not await ann.name()
    await ann.prove()
    assert (await ann.have_signed()).path == "/month"
    assert await ann.name()


async def test_an_ethereum_wallet_joins_by_a_pasted_signature(guests, world):
    ann = await guests()
    asked = await ann.ethereum("?next=/fund")
    assert "Ethereum wallet 0x" in asked.text
    done = await ann.person.post("/sign-in/name", asked.form("/sign-in/name") | {"name": "Ann"})
    assert done.path == "/fund"
    assert await member(world, "ann")


async def test_a_nostr_key_joins_by_a_pasted_event(guests, world):
    ann = await guests()
    asked = await ann.nostr()
    assert "Nostr key npub1" in asked.text
    await ann.person.post("/sign-in/name", asked.form("/sign-in/name") | {"name": "ann"})
    assert await member(world, "ann")
    assert (await (await guests()).nostr("?next=/withdraw")).path == "/withdraw"


async def test_the_cookie_is_new_after_each_sign_in_and_dead_after_signing_out(guests, world):
    ann, node = await guests(), world.node
    await ann.join("ann")
    secrets = []
    for _ in range(2):
        await ann.prove()
        await ann.have_signed()
        cookies = ann.person.http.cookie_jar.filter_cookies(URL(world.url))
        secrets.append(cookies["flattr"].value)
    assert secrets[0] != secrets[1]
    assert await sessions.find_session(node.store, node.clock, secrets[0]) is None
    await ann.person.send("/sign-out", "/sign-out")
    assert await sessions.find_session(node.store, node.clock, secrets[1]) is None
    ann.person.http.cookie_jar.update_cookies({"flattr": secrets[1]})
    assert not await ann.name()


async def test_a_link_signs_nobody_out_and_its_button_does(guests):
    ann = await guests()
    await ann.join("ann")
    shown = await ann.person.get("/sign-out")
    assert await ann.name()
    asked = next(one for one in shown.read.forms if one["action"] == "/sign-out")
    assert "signed out" in (await ann.person.post("/sign-out", asked["fields"])).text
    assert not await ann.name()


async def test_a_name_that_is_taken_can_be_changed(guests):
    ann, bob = await guests(), await guests(22)
    await ann.join("ann")
    taken = await bob.join("ann")
    assert (taken.status, taken.path) == (409, "/sign-in/name")
    assert "The name ann is taken." in taken.text
    form = taken.form("/sign-in/name")
    assert form["name"] == "ann"
    assert (await bob.person.post("/sign-in/name", form | {"name": "bob"})).path == "/month"


async def test_a_name_is_asked_only_of_who_has_signed(guests):
    ann = await guests()
    shown = await ann.person.get("/sign-in/name")
    assert shown.path.startswith("/sign-in?")
    assert "No wallet has signed yet" in shown.text


async def test_the_button_before_the_wallet_has_signed_says_so(guests):
    ann = await guests()
    shown = await ann.have_signed()
    assert "No wallet has signed yet" in shown.text
    assert not await ann.name()


async def test_one_more_wallet_is_added_and_one_removed(guests, world):
    ann = await guests()
    await ann.join("ann")
    added = await ann.nostr("?add=1")
    assert added.path == "/settings/identities"
    assert "can sign in as you now" in added.text
    assert "npub1" in added.text
    lightning = ann.lightning.linking_key
    assert lightning in added.text
    action = re.search(
        rf'action="([^"]+/remove)">(?:(?!</form>).)*Remove {lightning}', added.html, re.DOTALL
    )[1]
    gone = await ann.person.post(action, added.form(action))
    assert "The wallet is removed" in gone.text
    assert lightning not in gone.text
    assert "/remove" not in gone.html
    ann_id = (await member(world, "ann")).id
    kinds = {one.kind for one in await notices_of(world.node.store, ann_id, 9, NEWEST)}
    assert kinds == {"sign-in", "identity", "identity-removed"}


async def test_what_needs_a_fresh_sign_in_gets_one_and_goes_on(guests, clock):
    ann = await guests()
    await ann.join("ann")
    clock.advance(sessions.FRESH_S)
    asked = await ann.person.get("/sign-in/nostr?add=1")
    assert asked.path.startswith("/sign-in?")
    assert "again" in asked.path
    query = "?" + asked.path.partition("?")[2]
    await ann.prove(query)
    back = await ann.have_signed(query)
    assert back.path.startswith("/sign-in/nostr?")
    assert "add=1" in back.path
    assert "one more that signs in as you" in back.text


async def test_signing_again_with_a_strange_wallet_is_refused(guests, clock):
    ann = await guests()
    await ann.join("ann")
    clock.advance(sessions.FRESH_S)
    ann.number = 33
    await ann.prove()
    shown = await ann.have_signed()
    assert "none of your wallets" in shown.text


async def test_sessions_are_listed_and_ended(guests):
    ann, elsewhere = await guests(), await guests()
    elsewhere.person.headers["User-Agent"] = "Elsewhere/1.0 <b>"
    await ann.join("ann")
    await elsewhere.prove()
    await elsewhere.have_signed()
    shown = await ann.person.get("/settings/sessions")
    assert "Elsewhere/1.0 <b>" in shown.text
    assert "this browser" in shown.text
    [form] = [one for one in shown.read.forms if one["action"].endswith("/end") and
              one["action"].count("/") == 4]  # fmt: skip
    ended = await ann.person.post(form["action"], form["fields"])
    assert "has ended" in ended.text
    assert not await elsewhere.name()
    assert await ann.name()
    again = await ann.person.post(form["action"], form["fields"])
    assert "you have no session with this id" in again.text.lower()


async def test_all_other_sessions_are_ended(guests):
    ann, elsewhere = await guests(), await guests()
    await ann.join("ann")
    await elsewhere.prove()
    await elsewhere.have_signed()
    ended = await ann.person.send("/settings/sessions", "/settings/sessions/end")
    assert "1 session has ended" in ended.text
    assert not await elsewhere.name()
    assert await ann.name()


async def test_a_token_signs_in_and_adds_the_first_wallet(guests, world):
    robot, ann = await world.join("robot"), await guests()
    shown = await ann.person.send("/sign-in", "/sign-in/token", secret=robot.token)
    assert shown.path == "/month"
    assert "By an API token" in (await ann.person.get("/settings/sessions")).text
    assert "You have no wallet here yet" in (await ann.person.get("/sign-in?next=/fund")).text
    await ann.prove("?next=/fund")
    assert (await ann.have_signed("?next=/fund")).path == "/fund"
    assert "By an API token" not in (await ann.person.get("/settings/sessions")).text


async def test_the_token_is_never_shown_again(guests, world):
    robot, ann = await world.join("robot"), await guests()
    form = (await ann.person.get("/sign-in")).html
    assert 'name="secret" type="password" required autocomplete="off"' in form
    shown = await ann.person.send("/sign-in", "/sign-in/token", secret=robot.token + "x")
    assert "unknown, revoked or expired" in shown.text
    assert robot.token not in shown.html
    assert not await ann.name()


async def test_the_page_hears_when_the_wallet_has_signed(guests, world):
    ann = await guests()
    url = await ann.lnurl()
    events = ann.person.http.get(world.url + "/sign-in/lightning/events")
    async with events as stream:
        assert await ann.call(url) == {"status": "OK"}
        text = (await stream.content.read()).decode()
    assert "event: changed" in text
    assert "data: signed" in text


async def test_another_browser_hears_nothing(guests, world):
    ann, bob = await guests(), await guests(22)
    await ann.prove()
    await bob.lnurl()
    bob_hears = bob.person.http.get(world.url + "/sign-in/lightning/events")
    async with bob_hears as stream:
        await ann.person.get("/")
        assert b"signed" not in stream.content.read_nowait()
