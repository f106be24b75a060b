"""Limits on how much one may ask, pages of long lists, and what is said when the node can't."""

from __future__ import annotations

import asyncio

import pytest

from node.config import WebSettings
from node.errors import RailUnavailable
from node.flows import flattr, join
from node.flows.fold import fold
from node.store import click_writer, members
from node.web import problems, server
from tests.web.conftest import open_world


async def test_a_caller_is_told_how_much_is_left_and_when_to_come_back(tmp_path, clock):
    web = WebSettings(port=0, requests_per_minute=20, joins_per_hour=3)
    async with open_world(tmp_path, clock, web=web) as world:
        alice = await world.join("alice")
        first = await alice("GET", "/me")
        assert first.headers["X-RateLimit-Limit"] == "20"
        assert first.headers["X-RateLimit-Remaining"] == "19"
        for _ in range(19):
            assert (await alice("POST", "/flattrs", {"url": "https://a.example/"})).status == 200
        for method, path, body in [
            ("GET", "/me", None), ("POST", "/flattrs", {"url": "https://a.example/"}),
        ]:  # fmt: skip
            refused = await alice(method, path, body)
            assert (refused.status, refused.slug) == (429, "too-many-requests")
            assert 0 < int(refused.headers["Retry-After"]) <= 60
        clock.advance(60)
        assert (await alice("GET", "/me")).status == 200
        bob = await world.join("bob")
        assert (await bob("GET", "/me")).status == 200
        await world.join("carol")
        full = await world.nobody("POST", "/members", {"name": "dave"})
        assert (full.status, full.headers["Retry-After"]) == (429, "3600")


async def test_guessing_tokens_is_counted_by_address(tmp_path, clock):
    web = WebSettings(port=0, requests_per_minute=5)
    async with open_world(tmp_path, clock, web=web) as world:
        headers = {"Authorization": "Bearer flattr_wrong"}
        found = [(await world.nobody("GET", "/me", headers=headers)).status for _ in range(6)]
        assert found == [401] * 5 + [429]
        assert (await world.nobody("POST", "/flattrs", headers=headers)).status == 429


async def test_only_a_trusted_proxy_says_where_a_request_comes_from(tmp_path, clock):
    for proxies, statuses in [(["127.0.0.1"], [200, 429, 200]), ([], [200, 429, 429])]:
        web = WebSettings(port=0, requests_per_minute=1, trusted_proxies=frozenset(proxies))
        async with open_world(tmp_path / str(len(proxies)), clock, web=web) as world:
            found = []
            for forwarded in ("8.8.8.8", "9.9.9.9, 8.8.8.8", "1.1.1.1"):
                headers = {"X-Forwarded-For": forwarded}
                answer = await world.nobody("GET", "/public/node", headers=headers)
                found.append(answer.status)
            assert found == statuses


async def test_a_full_queue_of_clicks_says_when_to_try_again(world, monkeypatch):
    alice = await world.join("alice")
    monkeypatch.setattr(flattr, "WAITING_MAX", 0)
    full = await alice("POST", "/flattrs", {"url": "https://a.example/"}, key="k")
    assert (full.status, full.slug, full.headers["Retry-After"]) == (503, "busy", "1")
    monkeypatch.undo()
    assert (await alice("POST", "/flattrs", {"url": "https://a.example/"}, key="k")).status == 200


async def test_lists_are_read_page_by_page_and_nothing_is_left_out(both_worlds):
    world = both_worlds
    alice = await world.join("alice")
    made = []
    for number in range(5):
        answer = await alice("POST", "/deposits", {"amount_sat": number + 1})
        made.append(answer.body["id"])
        world.clock.advance(number % 2)  # some at the same instant
    found, path = [], "/deposits?limit=2"
    while path:
        page = await alice("GET", path)
        found += [one["id"] for one in page.body["items"]]
        assert ("Link" in page.headers) == (page.body["next"] is not None)
        path = page.body["next"] and f"/deposits?limit=2&after={page.body['next']}"
    assert sorted(found) == sorted(made)
    assert len(set(found)) == 5
    async with world.node.store.write() as tx:
        for number in range(3):
            await members.notify(tx, alice.id, "test", str(number), "hear", number)
    first = await alice("GET", "/notices?limit=2")
    link = first.headers["Link"].partition(">")[0].removeprefix("</api/v1")
    rest = await alice("GET", link)
    assert [one["ref"] for one in first.body["items"] + rest.body["items"]] == ["2", "1", "0"]
    for number in range(3):
        await alice("POST", "/flattrs", {"url": f"https://a.example/{number}"})
    page = (await alice("GET", "/month?limit=2")).body
    more = (await alice("GET", f"/month?limit=2&after={page['next']}")).body
    assert [len(page["things"]), len(more["things"]), more["next"]] == [2, 1, None]


async def test_a_counter_is_cached_and_says_when_nothing_is_new(world):
    alice, bob = await world.join("alice"), await world.join("bob")
    thing = (await alice("POST", "/flattrs", {"url": "https://a.example/"})).body["thing"]
    await fold(world.node.store, world.clock)
    path = f"/public/things/{thing}/count"
    first = await world.nobody("GET", path)
    assert first.body["flattrs"] == 1
    assert first.headers["Cache-Control"] == "public, max-age=60"
    asked = {"If-None-Match": first.headers["ETag"]}
    same = await world.nobody("GET", path, headers=asked)
    assert (same.status, same.body) == (304, b"")
    await bob("POST", "/flattrs", {"thing": thing})
    await fold(world.node.store, world.clock)
    assert (await world.nobody("GET", path, headers=asked)).status == 304
    world.clock.advance(60)
    fresh = await world.nobody("GET", path, headers=asked)
    assert (fresh.status, fresh.body["flattrs"]) == (200, 2)
    found = await world.nobody("GET", "/public/things?url=https://a.example/%23x")
    assert (found.body["flattrs"], found.body["waiting"]) == (2, 2)
    most = (await world.nobody("GET", "/public/most-flattred")).body
    assert [line["flattrs"] for line in most["items"]] == [2]


async def test_the_node_says_that_lightning_is_simulated_and_when_it_is_away(world, monkeypatch):
    told = (await world.nobody("GET", "/public/node")).body
    assert (told["lightning"], told["simulated"], told["network"]) == ("SIMULATED", True, "simnet")
    ready = await world.nobody("GET", "/readyz", api="")
    assert (ready.status, ready.body["ready"]) == (200, True)
    assert "SIMULATED" in ready.body["parts"]["lightning"]["words"]
    world.node.health.report("pay", "the books are not clean. I1 secret rows")
    unready = await world.nobody("GET", "/readyz", api="")
    assert (unready.status, unready.body["ready"]) == (503, False)
    assert "secret" not in str(unready.body)
    world.node.health.report("pay")

    async def away(*_, **__):
        raise RailUnavailable("LND can't be reached")

    monkeypatch.setattr(type(world.node.lnd), "read_node", away)
    monkeypatch.setattr(type(world.node.lnd), "add_invoice", away)
    world.clock.advance(5)
    assert (await world.nobody("GET", "/readyz", api="")).status == 503
    assert (await world.nobody("GET", "/healthz", api="")).body == {"alive": True}
    alice = await world.join("alice")
    refused = await alice("POST", "/deposits", {"amount_sat": 5})
    assert (refused.status, refused.slug) == (503, "rail-unavailable")
    assert int(refused.headers["Retry-After"]) > 0
    assert (await alice("POST", "/flattrs", {"url": "https://a.example/"})).status == 200


async def test_a_node_that_can_not_write_clicks_says_so_for_a_while_or_until_it_can(
    world, monkeypatch
):
    async def full(*_: object) -> None:
        raise OSError("a secret of the disk")

    async def ready():
        return await world.nobody("GET", "/readyz", api="")

    async def fails():
        with monkeypatch.context() as broken:
            for writer in (click_writer.SqliteWriter, click_writer._PostgresWriter):
                broken.setattr(writer, "commit", full)
            assert (await alice("POST", "/flattrs", asked)).status == 503
        told = await ready()
        assert (told.status, told.body["parts"]["database"]["good"]) == (503, False)
        assert "clicks can't be written" in told.body["parts"]["database"]["words"]
        assert "secret" not in str(told.body)

    alice, asked = await world.join("alice"), {"url": "https://a.example/"}
    await fails()
    assert (await alice("POST", "/flattrs", asked)).status == 200
    assert (await ready()).status == 200
    await fails()
    world.clock.advance(flattr.TROUBLE_S)
    assert (await ready()).status == 200


@pytest.mark.parametrize("path", ["/me", "/flattrs"])
async def test_a_fault_of_the_node_tells_nothing_but_a_number(world, monkeypatch, path):
    alice = await world.join("alice")

    def fault(*_):
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr(join, "demand_valid", fault)
    world.clock.advance(60)
    answer = await alice("GET" if path == "/me" else "POST", path)
    assert (answer.status, answer.slug) == (500, "internal")
    assert "secret" not in str(answer.body)


async def test_callers_who_hang_up_are_no_fault_of_the_node(world, monkeypatch):
    alice = await world.join("alice")
    await alice("POST", "/flattrs", {"url": "https://a.example/"})
    faults = []
    monkeypatch.setattr(problems, "_unknown", faults.append)
    host, port = world.url.removeprefix("http://").split(":")
    body = b'{"url": "https://a.example/"}'
    for path, sent in [("/flattrs", body), ("/flattrs", body[:5]), ("/me", b"")]:
        for wait_s in (0, 0.001, 0.01):
            reader, writer = await asyncio.open_connection(host, int(port))
            head = f"POST /api/v1{path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json"
            token = f"Authorization: Bearer {alice.token}\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(f"{head}\r\n{token}".encode() + sent)
            await writer.drain()
            await asyncio.sleep(wait_s)
            writer.transport.abort()
            del reader
    assert (await alice("POST", "/flattrs", {"url": "https://a.example/"})).status == 200
    assert faults == []


async def test_who_holds_every_connection_makes_room_for_who_asks(tmp_path, clock, monkeypatch):
    """A socket for each file that the process may open: the database would have none."""
    monkeypatch.setattr(server, "_room", lambda: 20)
    async with open_world(tmp_path, clock) as world:
        host, port = world.url.removeprefix("http://").split(":")
        held = []
        for number in range(25):
            local = (f"127.3.0.{number // 5 + 1}", 0)
            held.append(await asyncio.open_connection(host, int(port), local_addr=local))
            held[-1][1].write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n"[: number * 2])
        alice = await world.join("alice")
        assert (await alice("POST", "/flattrs", {"url": "https://a.example/"})).status == 200
        async with asyncio.timeout(5):
            ends = await asyncio.gather(*(reader.read() for reader, _ in held[:5]))
        assert ends == [b""] * 5
        assert not any(reader.at_eof() for reader, _ in held[10:])
        for _, writer in held:
            writer.close()


async def test_open_requests_are_answered_before_the_server_ends(tmp_path, clock):
    async with open_world(tmp_path, clock) as world:
        alice = await world.join("alice")
        await alice("GET", "/me")
        clicks = [
            asyncio.create_task(alice("POST", "/flattrs", {"url": f"https://a.example/{number}"}))
            for number in range(20)
        ]
        answers = await asyncio.gather(*clicks)
    assert {answer.status for answer in answers} == {200}
