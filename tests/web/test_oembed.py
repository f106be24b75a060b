"""oEmbed 1.0, and Flattr's old links."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from node.store import inbox

URL = "https://a.example/post?a=1&b=2"
ASKED = quote(URL, safe="")


async def get(world, path, **options):
    return await world.nobody("GET", path, api="", **options)


async def test_a_thing_is_told_as_rich_with_a_picture_and_a_link(world):
    alice = await world.join("alice")
    title = 'A "post" <b>&amp;'
    thing = (await alice("POST", "/things", {"url": URL, "title": title})).body["id"]
    here = world.node.settings.web.public_url
    for asked in (URL, f"{here}/things/{thing}", f"{here}/click?url={ASKED}"):
        answer = await get(world, f"/oembed?url={quote(asked, safe='')}&format=json")
        assert answer.status == 200, answer.body
        told = answer.body
        assert (told["version"], told["type"], told["title"]) == ("1.0", "rich", title)
        assert (told["provider_name"], told["provider_url"]) == ("flattr-node", f"{here}/")
        assert (told["height"], told["width"]) == (20, 78)
        link = ET.fromstring(told["html"].replace("></a>", "/></a>"))
        assert link.get("rel") == "payment"
        assert link.get("href") == f"{here}/click?url={ASKED}"
        assert link.get("title") == f"Flattr {title}"
        assert link.find("img").get("src") == f"{here}/badge.svg?url={ASKED}"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


async def test_where_the_badge_does_not_fit_there_is_a_link(world):
    for room in ("maxwidth=40", "maxheight=10"):
        told = (await get(world, f"/oembed?url={ASKED}&{room}")).body
        assert told["type"] == "link"
        assert "html" not in told
    told = (await get(world, f"/oembed?url={ASKED}&maxwidth=400&maxheight=20")).body
    assert told["type"] == "rich"


@pytest.mark.parametrize(
    ("query", "status"),
    [("", 400), ("?url=nonsense", 400), (f"?url={ASKED}&format=xml", 501),
     (f"?url={ASKED}&maxwidth=wide", 400), (f"?url={ASKED}&maxwidth=0", 400),
     ("?url=http%3A%2F%2F127.0.0.1%3A8080%2Fthings%2F99", 404),
     ("?url=http%3A%2F%2F127.0.0.1%3A8080%2Fclick%3Fx%3D1", 400)],
)  # fmt: skip
async def test_what_can_not_be_told_is_refused(world, query, status):
    assert (await get(world, f"/oembed{query}")).status == status


async def test_an_old_link_is_sent_on_and_flattrs_nothing(world):
    old = f"/submit/auto?user_id=tim&url={ASKED}&title=A%20post&language=en_GB&hidden=0&tags=a,b"
    answer = await get(world, old, allow_redirects=False)
    assert answer.status == 302
    place = urlsplit(answer.headers["Location"])
    assert (place.scheme, place.netloc, place.path) == ("", "", "/click")
    assert parse_qs(place.query) == {"url": [URL], "title": ["A post"]}
    async with world.node.store.read() as tx:
        assert await inbox.length(tx) == 0


@pytest.mark.parametrize("query", ["", "?url=", "?url=javascript:alert(1)", "?url=//evil.example"])
async def test_an_old_link_leads_nowhere_else(world, query):
    answer = await get(world, f"/submit/auto{query}", allow_redirects=False)
    assert answer.status == 400
