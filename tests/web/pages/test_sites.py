"""Where one click flattrs without asking: the member's own list, and the way back."""

from __future__ import annotations

import pytest

from node.errors import BadUrl, Conflict, NotFound
from node.flows import consents

SITE = "https://blog.example"


async def give(world, person, url=f"{SITE}/post"):
    return await consents.give(world.node.store, world.clock, person.member, url)


async def test_a_site_is_listed_and_taken_back(world, people):
    ann = await people.member("ann")
    assert "There is none" in (await ann.get("/settings/sites")).text
    await give(world, ann)
    await give(world, ann, f"{SITE}/another")
    shown = await ann.get("/settings/sites")
    assert shown.text.count("blog.example") == 1
    shown = await ann.send("/settings/sites", "/settings/sites")
    assert "asked there again" in shown.text
    assert await consents.sites_of(world.node.store, ann.member) == []


async def test_anothers_consent_is_not_touched(world, people):
    ann, eve = await people.member("ann"), await people.member("eve")
    await give(world, ann)
    await give(world, eve, "https://eve.example/")
    form = (await eve.get("/settings/sites")).form("/settings/sites")
    shown = await eve.post("/settings/sites", {**form, "origin": SITE})
    assert "asked on this site already" in shown.text
    assert [one.origin for one in await consents.sites_of(world.node.store, ann.member)] == [SITE]
    assert "blog.example" not in (await eve.get("/settings/sites")).text


async def test_who_is_not_signed_in_sees_no_list(people):
    visitor = await people.visitor()
    assert (await visitor.get("/settings/sites")).path.startswith("/sign-in")


async def test_the_port_is_part_of_the_site(both_world_of_consents):
    world, member = both_world_of_consents
    store, clock = world.node.store, world.clock
    assert (
        await consents.give(store, clock, member, "http://127.0.0.1:81/x") == "http://127.0.0.1:81"
    )
    assert await consents.give(store, clock, member, "http://A.example:80/x") == "https://a.example"
    with pytest.raises(BadUrl):
        await consents.give(store, clock, member, "nonsense")
    with pytest.raises(NotFound):
        await consents.take_back(store, member, "http://127.0.0.1:82")
    await consents.take_back(store, member, "http://127.0.0.1:81")
    assert [one.origin for one in await consents.sites_of(store, member)] == ["https://a.example"]


async def test_there_is_a_limit(both_world_of_consents, monkeypatch):
    world, member = both_world_of_consents
    monkeypatch.setattr(consents, "SITES_MAX", 1)
    store, clock = world.node.store, world.clock
    await consents.give(store, clock, member, "https://a.example/")
    await consents.give(store, clock, member, "https://a.example/b")
    with pytest.raises(Conflict):
        await consents.give(store, clock, member, "https://b.example/")


@pytest.fixture
async def both_world_of_consents(both_worlds):
    member = await both_worlds.join("ann")
    return both_worlds, member.id
