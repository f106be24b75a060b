"""A demo's link signs a browser in as one person, and no other link does."""

from __future__ import annotations

import aiohttp
import pytest

from node.app import open_node
from node.config import LndSettings, Settings, WebSettings
from node.devnet.demo_doors import PATH, Doors
from node.flows import join, sessions
from node.wallet.lightning.simulated import open_simulated_network
from node.web.server import open_server


@pytest.fixture
async def house(tmp_path, clock):
    """(a node, its URL, its doors)."""
    doors = Doors()
    async with open_simulated_network(tmp_path / "network", {"node": 10**8}, clock=clock) as net:
        settings = Settings(
            network="simnet",
            lnd=LndSettings(lndconnect=net.nodes["node"].lndconnect),
            web=WebSettings(port=0),
        )
        async with (
            open_node(settings, tmp_path / "node", clock) as node,
            open_server(node, [doors.route]) as server,
        ):
            yield node, server.url, doors


async def enter(url: str, cookies: dict[str, str] | None = None):
    """(status, where to, the session's cookie)."""
    jar = aiohttp.CookieJar(unsafe=True)
    async with (
        aiohttp.ClientSession(cookie_jar=jar, cookies=cookies) as http,
        http.get(url, allow_redirects=False) as response,
    ):
        kept = {one.key: one.value for one in jar}
        return response.status, response.headers.get("Location"), kept.get("flattr")


async def test_a_link_signs_in_the_person_that_it_is_of(house) -> None:
    node, url, doors = house
    alice, _ = await join.join(node.store, node.clock, "alice")
    bob, _ = await join.join(node.store, node.clock, "bob")
    links = {alice: doors.open(alice, "/month"), bob: doors.open(bob, "/creator")}
    for member, to in ((alice, "/month"), (bob, "/creator")):
        status, location, secret = await enter(url + links[member])
        assert (status, location) == (303, to)
        session = await sessions.find_session(node.store, node.clock, secret)
        assert session is not None
        assert session.member == member


async def test_the_session_that_a_browser_had_is_over(house) -> None:
    node, url, doors = house
    alice, _ = await join.join(node.store, node.clock, "alice")
    link = url + doors.open(alice, "/")
    _, _, first = await enter(link)
    _, _, second = await enter(link, {"flattr": first})
    assert first != second
    assert await sessions.find_session(node.store, node.clock, first) is None
    assert await sessions.find_session(node.store, node.clock, second) is not None


async def test_a_link_that_nobody_opened_signs_nobody_in(house) -> None:
    _, url, _ = house
    status, _, secret = await enter(f"{url}{PATH}/aaaaaaaaaaaaaaaaaaaaaa")
    assert (status, secret) == (404, None)
