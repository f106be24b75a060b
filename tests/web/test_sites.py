"""Sites over HTTP: asked for, looked at, listed, released; and nothing of it is another's."""

from __future__ import annotations

import pytest

from node.config import WebSettings
from node.flows.proofs import claim_line
from tests.flows.claims.site_town import open_site_town
from tests.web.conftest import open_world


@pytest.fixture
async def site_world(tmp_path, clock, database_url, store):
    """(a node on each database, a site that it may ask)."""
    async with (
        open_site_town(store, clock) as town,
        open_world(tmp_path, clock, database=database_url, allow=frozenset({town.site})) as world,
    ):
        yield world, town


async def test_a_site_is_claimed_and_gives_its_things(site_world):
    world, town = site_world
    alice, bob = await world.join("alice"), await world.join("bob")
    thing = (await bob("POST", "/things", {"url": f"{town.home}old"})).body
    assert not thing["claimed"]
    asked = await alice("POST", "/sites", {"site": town.site}, key="k")
    assert (asked.status, asked.body["state"], asked.body["things"]) == (201, "asked", 1)
    assert (await alice("POST", "/sites", {"site": town.home}, key="j")).body == asked.body
    number = asked.body["id"]
    places = {one["method"]: one for one in asked.body["places"]}
    assert places["file"]["text"] == (await alice("GET", "/me")).body["claim_line"]
    assert places["nip05"]["text"] is None
    assert places["dns"]["place"] == "_flattr-node.127.0.0.1"

    first = (await alice("POST", f"/sites/{number}/claim")).body
    assert (first["outcome"], first["given"]) == ("not-found", 0)
    assert {one["method"] for one in first["seen"]} == {"file", "meta", "dns", "nip05"}
    assert all(one["words"] for one in first["seen"])

    town.pages.says["/.well-known/flattr-node.txt"] = places["file"]["text"]
    assert not (await bob("POST", "/flattrs", {"thing": thing["id"]})).body.get("type")
    found = (await alice("POST", f"/sites/{number}/claim")).body
    assert (found["outcome"], found["given"], found["site"]["state"]) == ("taken", 1, "mine")
    assert found["site"]["mine_from_s"] == world.clock.now_us() // 1_000_000
    assert (await alice("GET", f"/things/{thing['id']}")).body["mine"]
    assert (await alice("POST", "/flattrs", {"thing": thing["id"]})).status == 409
    assert (await bob("POST", "/things", {"url": f"{town.home}new"})).body["claimed"]
    listed = (await alice("GET", "/me/sites")).body["items"]
    assert [(one["site"], one["things"], one["things_mine"]) for one in listed] == [
        (town.site, 2, 2)
    ]
    assert (await alice("DELETE", f"/sites/{number}")).body == {"items": []}
    assert not (await bob("POST", "/things", {"url": f"{town.home}newer"})).body["claimed"]


async def test_a_thing_is_claimed_by_its_page(site_world):
    world, town = site_world
    alice = await world.join("alice")
    thing = (await alice("POST", "/things", {"url": f"{town.home}post"})).body["id"]
    line = claim_line(world.node.settings.web.public_url, alice.id, "alice")
    nothing = (await alice("POST", f"/things/{thing}/claim")).body
    assert (nothing["claimed"], nothing["line"]) == (False, line)
    tag = next(one["text"] for one in nothing["places"] if one["method"] == "meta")
    town.pages.says["/post"] = f"<head>{tag}</head>"
    found = (await alice("POST", f"/things/{thing}/claim")).body
    assert (found["claimed"], found["proved_by"]) == (True, f"{town.home}post")
    assert [one["saw"] for one in found["seen"] if one["method"] == "meta"] == ["found"]


async def test_a_claim_of_another_is_not_there(site_world):
    world, town = site_world
    alice, mallory = await world.join("alice"), await world.join("mallory")
    number = (await alice("POST", "/sites", {"site": town.site})).body["id"]
    for method, path in (
        ("GET", f"/sites/{number}"),
        ("POST", f"/sites/{number}/claim"),
        ("DELETE", f"/sites/{number}"),
    ):
        assert (await mallory(method, path)).status == 404
    assert (await mallory("GET", "/me/sites")).body == {"items": []}
    for bad in ("github.com/alice", "10.0.0.1", "x", ""):
        assert (await alice("POST", "/sites", {"site": bad})).status == 400
    assert (await alice("POST", "/sites", {"site": town.site, "x": 1})).status == 400


async def test_nobody_makes_the_node_look_without_end(tmp_path, clock):
    web = WebSettings(port=0, requests_per_minute=40, joins_per_hour=10)
    async with open_world(tmp_path, clock, web=web) as world:
        alice = await world.join("alice")
        number = (await alice("POST", "/sites", {"site": "blog.invalid"})).body["id"]
        answers = [(await alice("POST", f"/sites/{number}/claim")).status for _ in range(4)]
        assert answers == [200, 200, 429, 429]
        clock.advance(60)
        assert (await alice("POST", f"/sites/{number}/claim")).status == 200
