"""Badges and counters by URL: kept, well formed whatever a title holds, and they make nothing."""

from __future__ import annotations

import asyncio
import xml.etree.ElementTree as ET
from urllib.parse import quote

import pytest

from node.flows.fold import fold
from node.store import things
from node.web.embed.badge import badge_width, draw_badge, short_number
from node.web.static_files import FOLDER

SVG = "{http://www.w3.org/2000/svg}"
URL = "https://a.example/post"
UNKNOWN = "https://nobody.example/"


async def flattred(world, url=URL, title=""):
    alice = await world.join("alice")
    thing = (await alice("POST", "/things", {"url": url, "title": title})).body["id"]
    await alice("POST", "/flattrs", {"thing": thing})
    await fold(world.node.store, world.clock)
    return thing


async def get(world, path, **headers):
    return await world.nobody("GET", path, api="", headers=headers)


async def how_many_things(world):
    async with world.node.store.read() as tx:
        return await things.count(tx)


async def test_a_badge_shows_the_count_of_a_thing_by_number_and_by_url(world):
    thing = await flattred(world, title="A post")
    for path in (f"/badge/{thing}.svg", f"/badge.svg?url={quote(URL + '#part', safe='')}"):
        badge = await get(world, path)
        assert (badge.status, badge.headers["Content-Type"]) == (
            200, "image/svg+xml; charset=utf-8",
        )  # fmt: skip
        root = ET.fromstring(badge.body)
        assert [text.text for text in root.iter(f"{SVG}text")] == ["flattr", "1"]
        assert root.find(f"{SVG}title").text == "1 flattr: A post"


async def test_an_unknown_thing_has_a_badge_with_nought_and_is_not_made(world):
    for path in (f"/badge.svg?url={UNKNOWN}", "/badge/7.svg"):
        badge = await get(world, path)
        assert badge.status == 200
        assert "0 flattrs" in badge.body.decode()
    count = (await get(world, f"/api/v1/public/count?url={UNKNOWN}")).body
    assert (count["thing"], count["flattrs"], count["flattrs_this_month"]) == (None, 0, 0)
    await get(world, f"/oembed?url={UNKNOWN}")
    await get(world, f"/submit/auto?url={UNKNOWN}")
    assert await how_many_things(world) == 0


async def test_a_counter_by_url_can_be_read_by_every_site_and_gets_no_cookie(world):
    thing = await flattred(world)
    told = await get(world, f"/api/v1/public/count?url={URL}", Origin="https://b.example")
    assert told.body["thing"] == thing
    assert told.body["flattrs"] == 1
    assert told.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in told.headers
    assert told.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "Set-Cookie" not in told.headers


@pytest.mark.parametrize("path", ["/badge.svg?url=", "/api/v1/public/count?url="])
async def test_an_answer_is_fresh_for_a_minute_and_not_sent_twice(world, path):
    thing = await flattred(world)
    first = await get(world, path + URL)
    assert first.headers["Cache-Control"] == "public, max-age=60"
    tag = {"If-None-Match": first.headers["ETag"]}
    bob = await world.join("bob")
    await bob("POST", "/flattrs", {"thing": thing})
    await fold(world.node.store, world.clock)
    same = await get(world, path + URL, **tag)
    assert (same.status, same.body, same.headers["ETag"]) == (304, b"", tag["If-None-Match"])
    world.clock.advance(60)
    fresh = await get(world, path + URL, **tag)
    assert fresh.status == 200
    assert fresh.headers["ETag"] != tag["If-None-Match"]


async def test_a_badge_that_was_asked_for_is_not_asked_of_the_database_again(world, monkeypatch):
    await flattred(world)
    first = await get(world, f"/badge.svg?url={URL}")
    monkeypatch.setattr(type(world.node.store), "read", None)
    assert (await get(world, f"/badge.svg?url={URL}")).body == first.body


@pytest.mark.parametrize(
    "path", ["/badge.svg", "/badge.svg?url=ftp://x", "/badge.svg?url=a&url=b", "/badge.svg?uri=x"]
)
async def test_a_badge_of_what_is_no_url_is_refused_in_words(world, path):
    refused = await get(world, path)
    assert refused.status == 400
    assert refused.headers["Access-Control-Allow-Origin"] == "*"
    assert refused.body["detail"]


async def test_a_badge_takes_nothing_but_get(world):
    refused = await world.nobody("POST", "/badge.svg", api="")
    assert (refused.status, refused.headers["Allow"]) == (405, "GET, HEAD")
    assert (await world.nobody("HEAD", f"/badge.svg?url={URL}", api="")).status == 200


NASTY = ["</title><script>alert(1)</script>", "\"'&<>]]>", "日本語 ñ é 🎉", "\u202eevil", "x" * 200]


@pytest.mark.parametrize("title", NASTY)
def test_a_badge_is_well_formed_and_says_the_title_as_text(title):
    root = ET.fromstring(draw_badge(3, title))
    assert root.find(f"{SVG}title").text == f"3 flattrs: {title}"
    assert root.get("aria-label") == f"3 flattrs: {title}"
    assert {one.tag.removeprefix(SVG) for one in root.iter()} == {
        "svg", "title", "style", "clipPath", "rect", "g", "path", "circle", "text",
    }  # fmt: skip


def test_a_badge_loads_nothing_and_knows_the_dark():
    text = draw_badge(1, "")
    assert "prefers-color-scheme:dark" in text
    for word in ("href", "@import", "src=", "<script", "<image", "foreignObject"):
        assert word not in text
    assert text.count("http") == text.count("http://www.w3.org/2000/svg")


def test_the_first_page_shows_a_badge_as_they_are_drawn():
    assert (FOLDER / "sample.svg").read_text() == draw_badge(41, "") + "\n"


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0"), (9_999, "9999"), (10_000, "10.0k"), (12_399, "12.3k"), (999_999, "999k"),
     (1_000_000, "1.0M"), (4_590_000, "4.5M"), (2_000_000_000, "2000M")],
)  # fmt: skip
def test_a_long_number_is_shortened_downwards(number, words):
    assert short_number(number) == words
    assert ET.fromstring(draw_badge(number, "")).get("width") == str(badge_width(number))


async def test_many_who_ask_at_once_get_the_counts_of_one_question_each_their_own(both_worlds):
    world = both_worlds
    alice, bob = await world.join("alice"), await world.join("bob")
    urls = [f"https://a.example/{number}" for number in range(12)]
    for number, url in enumerate(urls):
        for client in (alice, bob)[: number % 3]:
            await client("POST", "/flattrs", {"url": url})
    await fold(world.node.store, world.clock)
    asked = [get(world, f"/api/v1/public/count?url={url}") for url in urls]
    told = [answer.body["flattrs"] for answer in await asyncio.gather(*asked)]
    assert told == [number % 3 for number in range(12)]
    numbered = [get(world, f"/badge/{number}.svg") for number in range(1, 9)]
    assert {answer.status for answer in await asyncio.gather(*numbered)} == {200}
