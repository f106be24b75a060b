"""What the click window never does: by GET, for another site, for another browser, in a frame."""

from __future__ import annotations

import html
import re
from urllib.parse import quote

import pytest

from node.flows import sessions
from tests.web.pages.window import (
    FROM_THE_SITE,
    URL,
    WINDOW,
    form_of,
    how_many_things,
    marks,
    press,
    told,
)


async def test_looking_makes_no_thing_and_marks_nothing(world, people):
    ann = await people.member("ann")
    for person in (ann, await people.visitor()):
        for headers in ({}, FROM_THE_SITE, {"Sec-Purpose": "prefetch"}, {"Purpose": "prefetch"}):
            shown = await person.get(WINDOW, **headers)
            assert shown.status == 200
            assert "A post" in shown.text
    assert (await marks(world), await how_many_things(world)) == (0, 0)


async def test_a_get_has_nothing_to_tell(people):
    ann = await people.member("ann")
    await press(ann, "flattr")
    assert told(await ann.get(WINDOW, **FROM_THE_SITE))[0] is None


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
