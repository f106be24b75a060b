"""The click window: GET shows and changes nothing; only a form of our own page flattrs."""

from __future__ import annotations

import html
import json
import re
from urllib.parse import quote

import pytest

from node.flows import claim, consents, fund, sessions
from node.flows.fold import fold
from node.money import sats
from node.store import flattrs, things

URL = "https://blog.example/post"
WINDOW = f"/click?url={quote(URL, safe='')}&title=A%20post"
FROM_THE_SITE = {
    "Referer": "https://blog.example/", "Sec-Fetch-Site": "cross-site",
    "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-User": "?1",
}  # fmt: skip


async def marks(world) -> int:
    async with world.node.store.read() as tx:
        return await flattrs.inbox_length(tx)


async def how_many_things(world) -> int:
    async with world.node.store.read() as tx:
        return await things.count(tx)


def form_of(shown, does):
    found = [one["fields"] for one in shown.read.forms if one.get("data-does") == does]
    return dict(found[0]) if found else None


async def press(person, does, window=WINDOW, **fields):
    form = form_of(await person.get(window), does)
    assert form is not None, f"there is no button to {does}"
    return await person.post("/click", {**form, **fields})


def told(shown):
    found = re.search(r'data-told="([^"]*)" data-to="([^"]*)"', shown.html)
    return json.loads(html.unescape(found[1]) or "null"), html.unescape(found[2])


async def fill_pot(world, person, amount_sat):
    deposit = await fund.ask_deposit(
        world.node.funding, person.member, sats(amount_sat), to_pot=True, key=""
    )
    await world.pay(deposit.payment_request)


async def test_looking_makes_no_thing_and_marks_nothing(world, people):
    ann = await people.member("ann")
    for person in (ann, await people.visitor()):
        for headers in ({}, FROM_THE_SITE, {"Sec-Purpose": "prefetch"}, {"Purpose": "prefetch"}):
            shown = await person.get(WINDOW, **headers)
            assert shown.status == 200
            assert "A post" in shown.text
    assert (await marks(world), await how_many_things(world)) == (0, 0)


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


async def test_a_get_has_nothing_to_tell(people):
    ann = await people.member("ann")
    await press(ann, "flattr")
    assert told(await ann.get(WINDOW, **FROM_THE_SITE))[0] is None


async def test_the_url_is_told_as_the_button_wrote_it_and_the_origin_as_it_is(people):
    ann = await people.member("ann")
    written = "HTTP://Blog.Example:80/post?utm_source=x"
    shown = await press(ann, "flattr", f"/click?url={quote(written, safe='')}")
    assert told(shown)[0]["url"] == written
    assert told(shown)[1] == "https://blog.example"


async def test_nobody_flattrs_without_signing_in_and_finds_the_way_back(world, people):
    visitor = await people.visitor()
    shown = await visitor.get(WINDOW)
    [link] = [url for tag, _, url in shown.read.urls if "sign-in" in url]
    assert link == "/sign-in?next=" + quote(WINDOW.replace("%20", "+"), safe="/")
    ann = await people.member("ann")
    form = form_of(await ann.get(WINDOW), "flattr")
    refused = await visitor.post("/click", form)
    assert refused.status == 403
    assert await marks(world) == 0


async def test_after_the_session_is_over_an_old_window_does_nothing(world, people):
    ann = await people.member("ann")
    form = form_of(await ann.get(WINDOW), "flattr")
    node = world.node
    [session] = await sessions.sessions_of(node.store, node.clock, ann.member)
    await sessions.revoke_session(node.store, ann.member, session.id)
    assert (await ann.post("/click", form)).status == 403
    assert "Sign in to flattr" in (await ann.get(WINDOW)).text
    assert await marks(world) == 0


FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "https://blog.example"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "", "Sec-Fetch-Site": ""},
]


@pytest.mark.parametrize("headers", FOREIGN)
async def test_a_form_of_another_site_flattrs_nothing(world, people, headers):
    ann = await people.member("ann")
    form = form_of(await ann.get(WINDOW), "flattr")
    refused = await ann.post("/click", form, headers=headers)
    assert refused.status == 403
    assert (await marks(world), await how_many_things(world)) == (0, 0)


async def test_a_form_needs_the_token_of_its_own_browser(world, people):
    ann, eve = await people.member("ann"), await people.member("eve")
    form = form_of(await ann.get(WINDOW), "flattr")
    eves = form_of(await eve.get(WINDOW), "flattr")
    for token in ("", "x", eves["token"], form["token"][:-1]):
        assert (await ann.post("/click", {**form, "token": token})).status == 403
    without = {name: value for name, value in form.items() if name != "token"}
    assert (await ann.post("/click", without)).status == 403
    assert await marks(world) == 0


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_no_other_method_does_anything(world, people, method):
    ann = await people.member("ann")
    form = form_of(await ann.get(WINDOW), "flattr")
    async with ann.http.request(method, world.url + WINDOW, data=form) as answer:
        assert answer.status == 405
    async with ann.http.head(world.url + WINDOW, headers=FROM_THE_SITE) as answer:
        assert answer.status == 200
    assert await marks(world) == 0


async def test_it_is_never_framed_and_keeps_the_page_that_opened_it(people):
    ann = await people.member("ann")
    for shown in (await ann.get(WINDOW), await press(ann, "flattr")):
        assert shown.headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in shown.headers["Content-Security-Policy"]
        assert shown.headers["Cross-Origin-Opener-Policy"] == "unsafe-none"
        assert shown.headers["Cache-Control"] == "no-store"
        assert "Access-Control-Allow-Origin" not in shown.headers
    assert (await ann.get("/")).headers["Cross-Origin-Opener-Policy"] == "same-origin"


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


@pytest.mark.parametrize(
    "query", ["", "?url=", "?url=nonsense", "?url=javascript:alert(1)", "?url=https://10.0.0.1/"]
)
async def test_what_is_no_page_is_refused_in_words(people, query):
    shown = await (await people.member("ann")).get(f"/click{query}")
    assert shown.status == 400
    assert "<form" not in shown.html.partition("<main")[2].partition("</main>")[0]


async def test_an_unknown_button_does_nothing(world, people):
    ann = await people.member("ann")
    form = form_of(await ann.get(WINDOW), "flattr")
    assert (await ann.post("/click", {**form, "do": "withdraw"})).status == 400
    assert (await ann.post("/click", {**form, "amount": "1"})).status == 400
    assert await marks(world) == 0


@pytest.mark.parametrize(
    "title",
    ['"><script>alert(1)</script>', "日本語 🎉 ñ", "{{ 7*7 }}", "a\x00b\u202ec", "x" * 3000],
)
async def test_a_title_is_text(people, title):
    ann = await people.member("ann")
    window = f"/click?url={quote(URL, safe='')}&title={quote(title)}"
    shown = await ann.get(window)
    assert "<script>alert" not in shown.html
    heading = re.search(r"<h1>(.*?)</h1>", shown.html, re.DOTALL)[1]
    assert "\u202e" not in heading
    assert len(html.unescape(heading)) <= 200
    assert html.unescape(heading)[:8].strip() in title.replace("\x00", " ").replace("\u202e", " ")


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
