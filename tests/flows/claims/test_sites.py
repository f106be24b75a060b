"""A whole site: all its things, now and later, and never taken from its holder in silence."""

from __future__ import annotations

import asyncio

import pytest

from node.errors import BadInput, BadUrl, Conflict, Forbidden, NotFound
from node.flows import claim, sites
from node.flows.proofs import Method, Saw
from node.flows.sites import Outcome, Site, SiteCheck, SiteState
from node.store import members
from tests.flows.claims.site_town import FILE, SiteTown
from tests.flows.claims.test_things import meta

DAY_S = 86_400


async def ask(town: SiteTown, name: str, text: str = "") -> Site:
    return await sites.ask_site(town.claiming, town.members[name], text or town.home)


async def check(town: SiteTown, name: str) -> SiteCheck:
    asked = await ask(town, name)
    return await sites.check_site(town.claiming, town.members[name], asked.claim.id)


async def notices(town: SiteTown, name: str) -> list[str]:
    async with town.store.read() as tx:
        found = await members.notices_of(tx, town.members[name], 100)
    return [one.words for one in found if one.kind == "site"]


async def hold(town: SiteTown, name: str) -> None:
    town.put_file(name)
    assert (await check(town, name)).outcome is Outcome.TAKEN


async def test_a_site_is_all_its_things_those_of_today_and_of_tomorrow(town: SiteTown) -> None:
    old = [await town.thing(path) for path in ("/a", "/b?c=d", "/")]
    other = await claim.add_thing(town.store, town.clock, "https://other.example/", "")
    town.put_file("alice")
    result = await check(town, "alice")
    assert (result.outcome, result.given) == (Outcome.TAKEN, 3)
    assert result.site.state is SiteState.MINE
    new = await town.thing("/new")
    assert [await town.owner(thing) for thing in [*old, new]] == ["alice"] * 4
    assert await town.owner(other.id) is None
    (mine,) = await sites.sites_of(town.claiming, town.members["alice"])
    assert (mine.figures.things, mine.figures.owned) == (4, 4)


async def test_to_ask_for_a_site_gives_nothing(town: SiteTown) -> None:
    await ask(town, "bob")
    assert await town.owner(await town.thing("/asked")) is None
    assert (await check(town, "bob")).outcome is Outcome.NOT_FOUND
    assert await town.owner(await town.thing("/looked")) is None
    await hold(town, "alice")
    assert await town.owner(await town.thing("/held")) == "alice"


async def test_another_port_is_another_site(town: SiteTown) -> None:
    await hold(town, "alice")
    beside = await claim.add_thing(town.store, town.clock, "http://127.0.0.1:1/a", "")
    without = await claim.add_thing(town.store, town.clock, "http://127.0.0.1/a", "")
    assert [await town.owner(one.id) for one in (beside, without)] == [None, None]


async def test_a_site_is_not_claimed_by_one_of_its_pages(town: SiteTown) -> None:
    thing = await town.thing("/user/page")
    town.pages.says["/user/page"] = meta(town.line("bob"))
    town.pages.says["/user/"] = meta(town.line("bob"))
    assert (await check(town, "bob")).outcome is Outcome.NOT_FOUND
    assert await town.owner(thing) is None
    assert "/user/page" not in town.pages.asked


async def test_the_home_page_claims_it(town: SiteTown) -> None:
    town.pages.says["/"] = meta(town.line("bob"))
    result = await check(town, "bob")
    assert result.outcome is Outcome.TAKEN
    assert [one.method for one in result.seen if one.saw is Saw.FOUND] == [Method.META]


@pytest.mark.parametrize("text", ["github.com/user", "https://github.com/user/", "a.example/?b"])
async def test_a_path_of_a_host_is_no_site(town: SiteTown, text: str) -> None:
    with pytest.raises(BadInput, match="whole"):
        await ask(town, "bob", text)


@pytest.mark.parametrize("text", ["", "nothost", "10.0.0.1", "https://", "a b.example", "[::2]"])
async def test_what_is_no_host_is_no_site(town: SiteTown, text: str) -> None:
    with pytest.raises(BadUrl):
        await sites.ask_site(town.claiming, town.members["bob"], text)


async def test_a_site_is_written_in_many_ways_and_is_one(town: SiteTown) -> None:
    written = ["blog.example", "https://blog.example", "HTTP://Blog.Example:80/", " blog.example. "]
    claims = {(await ask(town, "alice", text)).claim.id for text in written}
    assert len(claims) == 1
    assert sites.read_site("bücher.example") == "xn--bcher-kva.example"


async def test_a_thing_of_another_stays_that_members(town: SiteTown) -> None:
    thing = await town.thing("/post")
    await claim.grant(town.store, town.clock, town.members["bob"], (await _get(town, thing)).id)
    town.put_file("alice")
    assert (await check(town, "alice")).given == 0
    assert await town.owner(thing) == "bob"


async def test_released_it_gives_nothing_more_and_takes_nothing_back(town: SiteTown) -> None:
    old = await town.thing("/old")
    await hold(town, "alice")
    (mine,) = await sites.sites_of(town.claiming, town.members["alice"])
    await sites.release_site(town.claiming, town.members["alice"], mine.claim.id)
    new = await town.thing("/new")
    assert (await town.owner(old), await town.owner(new)) == ("alice", None)
    assert await sites.sites_of(town.claiming, town.members["alice"]) == []
    town.put_file("bob")
    assert (await check(town, "bob")).outcome is Outcome.TAKEN
    assert (await town.owner(old), await town.owner(new)) == ("alice", "bob")


async def test_a_holder_whose_proof_is_there_keeps_it(town: SiteTown) -> None:
    await hold(town, "alice")
    town.put_file("alice", "bob")
    town.clock.advance(30 * DAY_S)
    for _ in range(2):
        assert (await check(town, "bob")).outcome is Outcome.HOLDER_STANDS
        town.clock.advance(8 * DAY_S)
    assert await town.owner(await town.thing("/new")) == "alice"
    assert await notices(town, "alice") == []


async def test_a_site_that_changed_hands_passes_on_after_a_week_and_not_in_silence(
    town: SiteTown,
) -> None:
    old = await town.thing("/old")
    await hold(town, "alice")
    town.put_file("bob")
    result = await check(town, "bob")
    assert (result.outcome, result.site.state) == (Outcome.WAITS, SiteState.WAITING)
    assert result.site.until_us == town.clock.now_us() + sites.WAIT_S * 1_000_000
    assert len(await notices(town, "alice")) == 1
    town.clock.advance(sites.WAIT_S - 1)
    assert (await check(town, "bob")).outcome is Outcome.WAITS
    assert await town.owner(await town.thing("/between")) == "alice"
    town.clock.advance(1)
    assert (await check(town, "bob")).outcome is Outcome.TAKEN
    assert await town.owner(await town.thing("/new")) == "bob"
    assert await town.owner(old) == "alice"
    assert "passed to bob" in (await notices(town, "alice"))[0]
    assert await sites.sites_of(town.claiming, town.members["alice"]) == []


async def test_a_holder_who_puts_the_proof_back_ends_the_wait(town: SiteTown) -> None:
    await hold(town, "alice")
    town.put_file("bob")
    assert (await check(town, "bob")).outcome is Outcome.WAITS
    town.clock.advance(3 * DAY_S)
    town.put_file("alice")
    assert (await check(town, "alice")).outcome is Outcome.STILL_MINE
    town.put_file("bob")
    town.clock.advance(5 * DAY_S)
    result = await check(town, "bob")
    assert (result.outcome, len(await notices(town, "alice"))) == (Outcome.WAITS, 2)
    assert result.site.until_us == town.clock.now_us() + sites.WAIT_S * 1_000_000


async def test_a_claimer_whose_proof_goes_waits_from_the_start(town: SiteTown) -> None:
    await hold(town, "alice")
    town.put_file("bob")
    await check(town, "bob")
    town.clock.advance(6 * DAY_S)
    town.pages.says.clear()
    assert (await check(town, "bob")).outcome is Outcome.NOT_FOUND
    town.put_file("bob")
    town.clock.advance(2 * DAY_S)
    assert (await check(town, "bob")).outcome is Outcome.WAITS


async def test_no_answer_is_no_proof_of_absence(town: SiteTown) -> None:
    await hold(town, "alice")
    town.pages.says[FILE] = (500, "")
    town.pages.says["/"] = meta(town.line("bob"))
    for _ in range(2):
        result = await check(town, "bob")
        assert (result.outcome, result.site.state) == (Outcome.HOLDER_UNKNOWN, SiteState.ASKED)
        town.clock.advance(8 * DAY_S)
    assert await notices(town, "alice") == []
    assert await town.owner(await town.thing("/new")) == "alice"


async def test_a_holder_keeps_it_without_a_proof_that_nobody_contests(town: SiteTown) -> None:
    await hold(town, "alice")
    town.pages.says.clear()
    town.clock.advance(300 * DAY_S)
    assert (await check(town, "alice")).outcome is Outcome.MINE_UNPROVED
    assert await town.owner(await town.thing("/new")) == "alice"


async def test_who_is_suspended_claims_no_site_and_keeps_what_was_held(town: SiteTown) -> None:
    await hold(town, "alice")
    (mine,) = await sites.sites_of(town.claiming, town.members["alice"])
    async with town.store.write() as tx:
        await members.set_suspended(tx, town.members["alice"], town.clock.now_us())
    with pytest.raises(Forbidden):
        await ask(town, "alice", "other.example")
    with pytest.raises(Forbidden):
        await sites.check_site(town.claiming, town.members["alice"], mine.claim.id)
    assert await town.owner(await town.thing("/new")) == "alice"


async def test_claims_are_their_members_alone(town: SiteTown) -> None:
    asked = await ask(town, "alice")
    for flow in (sites.check_site, sites.release_site, sites.site_of):
        with pytest.raises(NotFound):
            await flow(town.claiming, town.members["bob"], asked.claim.id)
    await sites.release_site(town.claiming, town.members["alice"], asked.claim.id)
    with pytest.raises(NotFound):
        await sites.check_site(town.claiming, town.members["alice"], asked.claim.id)


async def test_claims_have_a_limit(town: SiteTown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sites, "CLAIMS_MAX", 2)
    for host in ("a.example", "b.example", "a.example"):
        await ask(town, "alice", host)
    with pytest.raises(Conflict):
        await ask(town, "alice", "c.example")


async def test_of_two_who_prove_it_at_once_one_gets_it(town: SiteTown) -> None:
    town.put_file("alice", "bob")
    claims = {name: await ask(town, name) for name in ("alice", "bob")}
    results = await asyncio.gather(
        *(
            sites.check_site(town.claiming, town.members[name], one.claim.id)
            for name, one in claims.items()
        ),
        return_exceptions=True,
    )
    taken = [one for one in results if isinstance(one, SiteCheck)]
    assert [one.outcome for one in taken].count(Outcome.TAKEN) == 1


async def test_a_thing_that_is_made_while_its_site_is_claimed_has_an_owner(
    town: SiteTown,
) -> None:
    town.put_file("alice")
    made = [town.thing(f"/{number}") for number in range(20)]
    result, *things = await asyncio.gather(check(town, "alice"), *made)
    assert isinstance(result, SiteCheck)
    assert {await town.owner(int(str(thing))) for thing in things} == {"alice"}


async def _get(town: SiteTown, thing: int) -> claim.Thing:
    async with town.store.read() as tx:
        return (await claim.things.many(tx, [claim.ThingId(thing)]))[claim.ThingId(thing)]
