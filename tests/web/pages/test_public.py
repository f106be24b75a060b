"""What everybody sees of things and creators, and what nobody sees of readers."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from node.flows import claim
from node.flows.fold import fold
from node.web.pages.headers import POLICY
from tests.conftest import MONTH

ATOM = "{http://www.w3.org/2005/Atom}"


async def _town(people):
    """alice owns two things, bob flattred them and one of nobody's."""
    world = people.world
    alice, bob = await people.member("alice"), await people.member("bob")
    node = world.node
    things = {}
    for name, title in {"a": "A <b>title</b> & more", "b": "", "free": "Free"}.items():
        things[name] = await claim.add_thing(
            node.store, node.clock, f"https://{name}.example/?x=1&y=<", title
        )
    for name in ("a", "b"):
        await claim.grant(node.store, node.clock, alice.member, things[name].id)
    for name in ("a", "b", "free"):
        await node.clicks.flattr(bob.member, things[name], None, "")
    await fold(node.store, node.clock)
    return alice, bob, things


async def test_a_thing_tells_its_counters_its_owner_and_how_to_flattr_it(both_people):
    _, _, things = await _town(both_people)
    visitor = await both_people.visitor()
    thing = things["a"]
    shown = await visitor.get(f"/things/{thing.id}")
    assert shown.status == 200
    assert "A <b>title</b> & more" in shown.text
    assert "<b>title" not in shown.html
    urls = {(tag, url) for tag, _, url in shown.read.urls}
    window = "/click?url=https%3A%2F%2Fa.example%2F%3Fx%3D1%26y%3D%253C"
    assert ("a", window) in urls
    public = both_people.world.node.settings.web.public_url
    assert f'<link rel="payment" type="text/html" href="{public}{window}"' in shown.html
    assert f'type="application/json+oembed" href="{public}/oembed?url=' in shown.html
    assert ("a", "/creators/alice") in urls
    assert "Claim it" not in shown.text
    assert "bob" not in shown.text
    assert re.search(r"Flattrs in November 2026 1 In all 1", shown.text)


async def test_a_thing_of_nobody_says_how_many_wait(both_people):
    _, _, things = await _town(both_people)
    world = both_people.world
    world.clock.set(MONTH.plus(2).starts_s)
    shown = await (await both_people.visitor()).get(f"/things/{things['free'].id}")
    assert "Nobody has claimed it yet" in shown.text
    assert "One flattr of this month and the three before it waits" in shown.text
    world.clock.set(MONTH.plus(4).starts_s)
    shown = await (await both_people.visitor()).get(f"/things/{things['free'].id}")
    assert "0 flattrs of this month and the three before it wait" in shown.text
    assert (await (await both_people.visitor()).get("/things/999")).status == 404
    assert (await (await both_people.visitor()).get("/things/x")).status == 404


async def test_a_months_chart_has_the_months_without_a_flattr_as_well(people):
    _, bob, things = await _town(people)
    node = people.world.node
    people.world.clock.set(MONTH.plus(3).starts_s)
    await node.clicks.flattr(bob.member, things["a"], None, "")
    await fold(node.store, node.clock)
    shown = await (await people.visitor()).get(f"/things/{things['a'].id}")
    bars = re.findall(r"<title>(\w+): (\d+)</title>", shown.html)
    assert bars == [("Nov", "1"), ("Dec", "0"), ("Jan", "0"), ("Feb", "1")]


async def test_a_creator_has_a_page_and_a_reader_has_none(both_people):
    await _town(both_people)
    visitor = await both_people.visitor()
    shown = await visitor.get("/creators/alice")
    assert (shown.status, shown.headers["Content-Security-Policy"]) == (200, POLICY)
    assert "Flattrs this month 2 In all 2 Things 2" in shown.text
    assert "free.example" not in shown.text
    for name in ("bob", "nobody", "a" * 99, "%C3%A9"):
        for path in (f"/creators/{name}", f"/creators/{name}.atom"):
            assert (await visitor.get(path)).status == 404, path
    assert (await visitor.get("/creators/alice?after=x")).status == 400


async def test_a_feed_has_a_payment_link_for_each_thing(both_people):
    _, _, things = await _town(both_people)
    visitor = await both_people.visitor()
    shown = await visitor.get("/creators/alice.atom")
    assert shown.headers["Content-Type"].startswith("application/atom+xml")
    assert "max-age" in shown.headers["Cache-Control"]
    feed = ET.fromstring(shown.html)
    assert feed.findtext(f"{ATOM}title") == "alice"
    entries = feed.findall(f"{ATOM}entry")
    assert [one.findtext(f"{ATOM}title") for one in entries] == [
        things["b"].url, "A <b>title</b> & more",
    ]  # fmt: skip
    public = both_people.world.node.settings.web.public_url
    for entry in entries:
        links = {one.get("rel"): one.get("href") for one in entry.findall(f"{ATOM}link")}
        assert links["payment"].startswith(f"{public}/click?url=https%3A%2F%2F")
        assert entry.findtext(f"{ATOM}updated") == "2026-11-01T01:00:00Z"
        assert entry.findtext(f"{ATOM}id").startswith(f"{public}/things/")


async def test_what_is_popular_this_week_and_this_month(both_people):
    _, _, things = await _town(both_people)
    world = both_people.world
    visitor = await both_people.visitor()
    shown = await visitor.get("/popular")
    assert shown.text.count("1 flattr") == 3
    world.clock.advance(8 * 86_400)
    assert "Nothing was flattred" in (await visitor.get("/popular")).text
    month = await visitor.get("/popular?of=month")
    assert month.text.count("1 flattr") == 3
    assert "of November 2026" in month.text
    carla = await both_people.member("carla")
    await world.node.clicks.flattr(carla.member, things["free"], None, "")
    await fold(world.node.store, world.clock)
    world.clock.advance(61)
    assert (await visitor.get("/popular")).text.count("1 flattr") == 1


async def test_what_is_popular_is_read_once_a_minute(people, monkeypatch):
    await _town(people)
    asked = []

    async def count(*_):
        asked.append(1)
        return []

    monkeypatch.setattr("node.web.known_popular.public.most_flattred_week", count)
    visitor = await people.visitor()
    for _ in range(3):
        assert (await visitor.get("/popular")).status == 200
    assert len(asked) == 1
    people.world.clock.advance(60)
    await visitor.get("/popular")
    assert len(asked) == 2


@pytest.mark.parametrize("path", ["/popular", "/things/1", "/creators/alice"])
async def test_nothing_is_loaded_from_another_host(people, path):
    await _town(people)
    shown = await (await people.visitor()).get(path)
    assert shown.status == 200
    loaded = [url for tag, name, url in shown.read.urls if name == "src" or tag == "script"]
    assert loaded
    assert all(url.startswith("/") for url in loaded)
    assert "style=" not in shown.html
    assert "<script>" not in shown.html
