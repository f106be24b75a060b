"""The click window: what it shows, does and tells, and when it goes by itself."""

from __future__ import annotations

from urllib.parse import quote

from node.flows import claim, consents, window
from node.flows.fold import fold
from node.money import Asset
from tests.web.pages.window import FROM_THE_SITE, URL, WINDOW, fill_pot, form_of, marks, press, told
from tests.web.wallets import book, link


async def test_one_press_flattrs_and_tells_the_page_that_opened_the_window(world, people):
    ann = await people.member("ann")
    shown = await press(ann, "flattr")
    assert shown.status == 200
    assert "Flattred" in shown.text
    assert told(shown) == (
        {"type": "flattr", "url": URL, "flattrs": 1, "flattred": True}, "https://blog.example",
    )  # fmt: skip
    assert await marks(world) == 1
    await fold(world.node.store, world.clock)
    assert "1 flattr " in (await ann.get(WINDOW)).text
    bob = await people.member("bob")
    assert told(await press(bob, "flattr"))[0]["flattrs"] == 2
    await fold(world.node.store, world.clock)
    back = await press(ann, "undo")
    assert told(back)[0] == {"type": "flattr", "url": URL, "flattrs": 1, "flattred": False}
    assert form_of(back, "flattr") is not None


async def test_the_url_is_told_as_the_button_wrote_it_and_the_origin_as_it_is(people):
    ann = await people.member("ann")
    written = "HTTP://Blog.Example:80/post?utm_source=x"
    shown = await press(ann, "flattr", f"/click?url={quote(written, safe='')}")
    assert told(shown)[0]["url"] == written
    assert told(shown)[1] == "https://blog.example"


async def test_ones_own_thing_is_refused_in_words(world, people):
    ann = await people.member("ann")
    node = world.node
    thing = await claim.add_thing(node.store, node.clock, URL, "Mine")
    await claim.grant(node.store, node.clock, ann.member, thing.id)
    shown = await ann.get(WINDOW)
    assert "This is your own" in shown.text
    assert form_of(shown, "flattr") is None
    other = form_of(await ann.get("/click?url=https://a.example/"), "flattr")
    refused = await ann.post("/click", {**other, "url": URL})
    assert refused.status == 409
    assert "your own thing" in refused.text
    assert await marks(world) == 0


async def test_an_empty_pot_is_said_and_the_click_is_taken(people):
    ann = await people.member("ann")
    shown = await press(ann, "flattr")
    assert "Your pot is empty" in shown.text
    assert "counts if there is something in your pot when the month ends" in shown.text


async def test_what_a_click_is_worth_is_said_before_and_after(world, people):
    ann = await people.member("ann")
    owner = await people.member("owner")
    node = world.node
    for url in (URL, "https://blog.example/two"):
        thing = await claim.add_thing(node.store, node.clock, url, "")
        await claim.grant(node.store, node.clock, owner.member, thing.id)
    await fill_pot(world, ann, 1000)
    assert (
        "Worth 1 000 sat if the month ended now, out of your pot of 1 000 sat"
        in (await ann.get(WINDOW)).text
    )
    assert "your whole pot" in (await press(ann, "flattr")).text
    two = await press(ann, "flattr", "/click?url=https://blog.example/two")
    assert "Worth 500 sat if the month ended now: your pot, shared by 2" in two.text


async def test_how_many_wait_for_an_owner_is_said(world, people):
    for name in ("ann", "bob"):
        await press(await people.member(name), "flattr")
    await fold(world.node.store, world.clock)
    shown = await (await people.visitor()).get(WINDOW)
    assert "2 flattrs wait for its owner" in shown.text
    thing = await claim.add_thing(world.node.store, world.clock, URL, "")
    await claim.grant(world.node.store, world.clock, (await people.member("own")).member, thing.id)
    assert "wait" not in (await (await people.visitor()).get(WINDOW)).text


async def test_a_flattr_is_repeated_and_no_more(people):
    ann = await people.member("ann")
    await press(ann, "flattr")
    shown = await press(ann, "subscribe", months="6")
    assert "Repeats each month until April 2027" in shown.text
    assert "Repeats" not in (await press(ann, "unsubscribe")).text
    form = form_of(await ann.get(WINDOW), "subscribe")
    for months in ("", "5", "-3", "x", "٣"):
        assert (await ann.post("/click", {**form, "months": months})).status == 400


async def test_with_consent_the_window_goes_by_itself_and_only_from_that_site(world, people):
    ann = await people.member("ann")
    assert "data-at-once" not in (await ann.get(WINDOW, **FROM_THE_SITE)).html
    await press(ann, "flattr", always="1")
    assert "data-at-once" not in (await ann.get(WINDOW, **FROM_THE_SITE)).html  # it is flattred
    other = f"/click?url={quote('https://blog.example/two', safe='')}"
    assert "data-at-once" in (await ann.get(other, **FROM_THE_SITE)).html
    for changed in (
        {"Referer": "https://evil.example/"}, {"Referer": ""},
        {"Referer": "https://blog.example.evil.example/"}, {"Referer": "http://blog.example/"},
        {"Sec-Fetch-User": "?0"}, {"Sec-Fetch-Dest": "iframe"}, {"Sec-Fetch-Mode": "no-cors"},
        {"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"},
    ):  # fmt: skip
        shown = await ann.get(other, **{**FROM_THE_SITE, **changed})
        assert "data-at-once" not in shown.html, changed
    elsewhere = f"/click?url={quote('https://a.example/', safe='')}"
    assert "data-at-once" not in (await ann.get(elsewhere, **FROM_THE_SITE)).html
    bob = await people.member("bob")
    assert "data-at-once" not in (await bob.get(other, **FROM_THE_SITE)).html
    assert await marks(world) == 1


async def test_consent_is_taken_back_in_the_window(world, people):
    ann = await people.member("ann")
    await press(ann, "flattr")
    await press(ann, "always")
    sites = await consents.sites_of(world.node.store, ann.member)
    assert [one.origin for one in sites] == ["https://blog.example"]
    await press(ann, "ask")
    assert await consents.sites_of(world.node.store, ann.member) == []
    assert form_of(await ann.get(WINDOW), "ask") is None


async def test_what_went_by_itself_closes_by_itself(people):
    ann = await people.member("ann")
    assert "data-leaves" in (await press(ann, "flattr", at_once="1")).html
    assert "data-leaves" not in (await press(ann, "undo")).html


async def test_a_pot_in_the_stablecoin_is_worth_something_too(usd_world):
    alice = await usd_world.join("alice")
    await link(alice, "alice")
    funded = await usd_world.vault.local.funded("alice")
    await usd_world.vault.deposit(funded, 10_000_000, 4_000_000)
    await book(usd_world)
    seen = await window.look(usd_world.node, URL, "", alice.id)
    assert [str(one.pot) for one in seen.mine.worths] == [str(seen.mine.worths[0].each)]
    assert seen.mine.worths[0].pot.units == 4_000_000
    assert seen.mine.worths[0].pot.asset is Asset.USD
