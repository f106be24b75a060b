"""A thing is claimed where only who controls it can write, and its owner keeps it."""

from __future__ import annotations

from typing import Any

import pytest

from node.errors import Conflict, Forbidden, NotFound
from node.flows import claim
from node.flows.proofs import Method, Saw, places_of
from node.ids import ThingId
from node.store import identities, members
from node.store.identities import Identity
from tests.flows.claims.site_town import NOSTR, SiteTown

KEY = "ab" * 32


def meta(line: str) -> str:
    return f'<html><head><meta name="flattr-node" content="{line}"></head><body>words</body></html>'


async def look(town: SiteTown, name: str, thing: int) -> claim.ClaimResult:
    return await claim.claim(town.claiming, town.members[name], ThingId(thing))


async def link_nostr(town: SiteTown, name: str, key: str) -> None:
    async with town.store.write() as tx:
        linked = Identity(f"id-{name}", "nostr", key, town.members[name], 0, 0)
        assert await identities.add(tx, linked)


def nostr_file(line: str) -> str:
    """What the owner of KEY puts on the site, as the node shows it."""
    shown = {one.method: one.text for one in places_of("https://blog.example/", line, [KEY])}
    assert shown[Method.NIP05] is not None
    return shown[Method.NIP05]


def seen_by(result: Any) -> dict[Method, Saw]:
    return {one.method: one.saw for one in result.seen}


async def test_each_place_proves_a_thing(town: SiteTown) -> None:
    await link_nostr(town, "alice", KEY)
    line = town.line("alice")
    puts = {
        Method.FILE: lambda: town.put_file("bob", "alice"),
        Method.META: lambda: town.pages.says.update({"/meta": meta(line)}),
        Method.NIP05: lambda: town.pages.says.update({NOSTR: nostr_file(line)}),
    }
    for method, put in puts.items():
        thing = await town.thing(f"/{method}")
        before = await look(town, "alice", thing)
        assert (before.proved_by, seen_by(before)[method]) == (None, Saw.NOTHING)
        put()
        result = await look(town, "alice", thing)
        assert result.proved_by is not None
        assert seen_by(result)[method] is Saw.FOUND
        assert await town.owner(thing) == "alice"
        town.pages.says.clear()


async def test_a_txt_record_proves_a_thing_of_its_host(town: SiteTown) -> None:
    thing = await claim.add_thing(town.store, town.clock, "https://blog.invalid/post", "")
    town.zone.says["_flattr-node.blog.invalid"] = ["v=spf1 -all", town.line("alice")]
    result = await look(town, "alice", thing.id)
    assert result.proved_by == "_flattr-node.blog.invalid"
    assert seen_by(result) == {
        Method.FILE: Saw.NO_ANSWER, Method.META: Saw.NO_ANSWER, Method.DNS: Saw.FOUND,
        Method.NIP05: Saw.NO_ANSWER,
    }  # fmt: skip


async def test_nobody_claims_with_the_proof_of_another(town: SiteTown) -> None:
    thing = await town.thing("/post")
    await link_nostr(town, "alice", KEY)
    await link_nostr(town, "bob", "cd" * 32)
    town.put_file("alice")
    town.pages.says["/post"] = meta(town.line("alice"))
    town.pages.says[NOSTR] = nostr_file(town.line("alice"))
    town.zone.says["_flattr-node.127.0.0.1"] = [town.line("alice")]
    result = await look(town, "bob", thing)
    assert result.proved_by is None
    assert set(seen_by(result).values()) == {Saw.ANOTHERS}
    assert await town.owner(thing) is None


async def test_the_line_of_another_node_proves_nothing(town: SiteTown) -> None:
    thing = await town.thing("/post")
    elsewhere = claim.claim_line("https://other.example", town.members["alice"], "alice")
    town.pages.says["/post"] = meta(elsewhere)
    assert (await look(town, "alice", thing)).proved_by is None


async def test_an_owned_thing_stays_its_owners_whatever_the_site_says(town: SiteTown) -> None:
    thing = await town.thing("/post")
    town.put_file("alice")
    await look(town, "alice", thing)
    town.put_file("bob")
    asked = len(town.pages.asked)
    with pytest.raises(Conflict):
        await look(town, "bob", thing)
    assert len(town.pages.asked) == asked
    assert await town.owner(thing) == "alice"
    assert (await look(town, "alice", thing)).proved_by == "claimed before"


async def test_who_is_suspended_claims_nothing(town: SiteTown) -> None:
    thing = await town.thing("/post")
    town.put_file("alice")
    async with town.store.write() as tx:
        await members.set_suspended(tx, town.members["alice"], town.clock.now_us())
    with pytest.raises(Forbidden):
        await look(town, "alice", thing)
    assert await town.owner(thing) is None
    with pytest.raises(NotFound):
        await look(town, "alice", 4711)
