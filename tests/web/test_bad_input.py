"""Everything that a caller can get wrong: a clear 4xx with the right type, and nothing done."""

from __future__ import annotations

import asyncio
import json

import pytest

from node.config import WebSettings
from node.flows.claim import grant
from tests.conftest import MONTH
from tests.web.conftest import open_world

HUGE = 2**63
OTHER_MONTH = str(MONTH.plus(-1))


def _problem(answer, status, slug):
    assert (answer.status, answer.headers["Content-Type"]) == (
        status,
        "application/problem+json",
    ), answer.body
    assert answer.slug == slug
    assert answer.body["status"] == status
    assert answer.body["network"] == answer.headers["Flattr-Network"] == "simnet"
    assert answer.body["title"]
    assert answer.body["detail"]


BODIES = [
    ("POST", "/members", {"name": "Ünicode"}, "bad-input"),
    ("POST", "/members", {"name": "a\u0000b"}, "bad-input"),
    ("POST", "/members", {"name": "x" * 33}, "bad-input"),
    ("POST", "/members", {"name": "bob", "admin": True}, "bad-input"),
    ("POST", "/members", [], "bad-input"),
    ("POST", "/tokens", {"label": "a\u202eb", "scopes": ["read"]}, "bad-input"),
    ("POST", "/tokens", {"label": "a", "scopes": []}, "bad-input"),
    ("POST", "/tokens", {"label": "a", "scopes": ["admin"]}, "bad-input"),
    ("POST", "/tokens", {"label": "a", "scopes": ["read"], "days": 0}, "bad-input"),
    ("PATCH", "/me", {"dues_from_earnings": 1}, "bad-input"),
    ("POST", "/deposits", {"amount_sat": -1}, "bad-input"),
    ("POST", "/deposits", {"amount_sat": 0}, "bad-input"),
    ("POST", "/deposits", {"amount_sat": True}, "bad-input"),
    ("POST", "/deposits", {"amount_sat": "5"}, "bad-input"),
    ("POST", "/deposits", {"amount_sat": 5.0}, "bad-input"),
    ("POST", "/deposits", {"amount_sat": HUGE}, "bad-input"),
    ("POST", "/deposits", {"amount_sat": 10**400}, "bad-input"),
    ("POST", "/deposits", {"amount_sat": 5_000_000}, "bad-input"),
    ("POST", "/deposits", {"amount_sat": 5, "to": "operator"}, "bad-input"),
    ("PUT", "/pot", {}, "bad-input"),
    ("PUT", "/pot", {"amount_sat": 1, "amount_msat": 1000}, "bad-input"),
    ("PUT", "/pot", {"amount_msat": HUGE}, "bad-input"),
    ("PUT", "/means", {"amount_sat": -1}, "bad-input"),
    ("PUT", "/payout-target", {"target": "nobody"}, "bad-target"),
    ("PUT", "/payout-target", {"target": "a@127.0.0.1:1"}, "bad-target"),
    ("PUT", "/payout-target", {"target": "a\u0000@b.example"}, "bad-target"),
    ("POST", "/withdrawals", {"target": "alice@wallet.example"}, "bad-input"),
    ("POST", "/withdrawals", {"target": "02" * 33, "amount_sat": 5}, "bad-input"),
    ("POST", "/withdrawals", {"target": "lnsb1", "amount_sat": 5}, "bad-target"),
    ("POST", "/things", {"url": "ftp://a.example/"}, "bad-url"),
    ("POST", "/things", {"url": "https://a.example/\u0000"}, "bad-url"),
    ("POST", "/things", {"url": "https://a.example/", "title": "a\u202eb"}, "bad-input"),
    ("POST", "/flattrs", {"url": "nonsense"}, "bad-url"),
    ("POST", "/flattrs", {}, "bad-input"),
    ("POST", "/flattrs", {"thing": 1, "url": "https://a.example/"}, "bad-input"),
    ("POST", "/flattrs", {"thing": 0}, "bad-input"),
    ("POST", "/flattrs", {"thing": -1}, "bad-input"),
    ("POST", "/flattrs", {"thing": HUGE}, "bad-input"),
    ("POST", "/flattrs", {"thing": "1"}, "bad-input"),
    ("POST", "/flattrs", {"thing": True}, "bad-input"),
    ("POST", "/flattrs", {"thing": 1.5}, "bad-input"),
    ("POST", "/flattrs", {"url": "https://a.example/", "member": 2}, "bad-input"),
    ("POST", "/flattrs", {"url": "https://a.example/", "month": OTHER_MONTH}, "bad-month"),
    ("POST", "/flattrs", {"url": "https://a.example/", "month": "soon"}, "bad-month"),
    ("POST", "/things/1/flattr", {"month": OTHER_MONTH}, "bad-month"),
    ("POST", "/subscriptions", {"url": "https://a.example/", "months": 4}, "bad-input"),
    ("POST", "/subscriptions", {"months": 3}, "bad-input"),
]
PATHS = [
    ("GET", "/things/0", 404, "not-found"),
    ("GET", f"/things/{2**31}", 404, "not-found"),
    ("GET", f"/things/{HUGE}", 404, "not-found"),
    ("GET", "/things/-1", 404, "not-found"),
    ("GET", "/things/%00", 404, "not-found"),
    ("GET", "/things/\u0661", 404, "not-found"),
    ("POST", "/things/99/flattr", 404, "not-found"),
    ("DELETE", "/things/99/flattr", 404, "not-found"),
    ("POST", "/things/99/claim", 404, "not-found"),
    ("GET", "/deposits/%00", 404, "not-found"),
    ("GET", "/deposits/x'--", 404, "not-found"),
    ("GET", "/payouts/nothing", 404, "not-found"),
    ("DELETE", "/tokens/nothing", 404, "not-found"),
    ("GET", "/months/2026-13", 400, "bad-month"),
    ("GET", "/months/9999-01", 400, "bad-month"),
    ("GET", f"/earnings/{MONTH}", 404, "not-found"),
    ("GET", "/deposits?limit=0", 400, "bad-input"),
    ("GET", "/deposits?limit=1_0", 400, "bad-input"),
    ("GET", "/deposits?limit=1&limit=2", 400, "bad-input"),
    ("GET", "/deposits?offset=1", 400, "bad-input"),
    ("GET", "/deposits?after=!!", 400, "bad-input"),
    ("GET", "/deposits?after=MTo=%00", 400, "bad-input"),
    ("GET", "/me?x=1", 400, "bad-input"),
    ("GET", "/public/things?url=x", 400, "bad-url"),
    ("GET", "/public/things?url=https://nobody.example/", 404, "not-found"),
    ("GET", "/public/things/7/count", 404, "not-found"),
    ("GET", "/nothing", 404, "not-found"),
    ("POST", "/me", 405, "method-not-allowed"),
    ("TRACE", "/flattrs", 405, "method-not-allowed"),
]


async def test_each_bad_body_is_refused_in_words(world):
    alice = await world.join("alice")
    await alice("POST", "/things", {"url": "https://a.example/"})
    for method, path, body, slug in BODIES:
        _problem(await alice(method, path, body), 400, slug)
    balance = (await alice("GET", "/balance")).body
    assert [balance[name] for name in ("available_msat", "pot_msat", "means_msat")] == [0, 0, 0]
    assert (await alice("GET", "/deposits")).body["items"] == []
    assert (await alice("GET", "/month")).body["things"] == []


async def test_each_bad_url_is_refused_in_words(both_worlds):
    alice = await both_worlds.join("alice")
    for method, path, status, slug in PATHS:
        answer = await alice(method, path)
        _problem(answer, status, slug)
        assert ("Allow" in answer.headers) == (status == 405)


@pytest.mark.parametrize("path", ["/flattrs", "/things", "/things/1/flattr"])
async def test_a_body_that_is_no_json_is_refused(world, path):
    alice = await world.join("alice")
    await alice("POST", "/things", {"url": "https://a.example/"})
    headers = {"Content-Type": "application/json"}
    for raw in (b"{", b"\xff", b"nul", b"[" * 10_000, b'{"url": "\\ud800"}', b'{"url": NaN}'):
        _problem(await alice("POST", path, data=raw, headers=headers), 400, "bad-input")
    for wrong in ("text/plain", "application/x-www-form-urlencoded", "application/json; charset=x"):
        answer = await alice("POST", path, data=b"{}", headers={"Content-Type": wrong})
        _problem(answer, 415, "unsupported-media-type")
    packed = {**headers, "Content-Encoding": "gzip"}
    _problem(await alice("POST", path, data=b"{}", headers=packed), 415, "unsupported-media-type")
    large = json.dumps({"url": "x" * 70_000}).encode()
    _problem(await alice("POST", path, data=large, headers=headers), 413, "too-large")

    async def chunks():
        for _ in range(70):
            yield b" " * 1024

    _problem(await alice("POST", path, data=chunks(), headers=headers), 413, "too-large")


async def test_an_idempotency_key_is_for_one_request(world):
    alice = await world.join("alice")
    url = {"url": "https://a.example/"}
    requests: list[tuple[str, object, object]] = [
        ("/deposits", {"amount_sat": 5}, {"amount_sat": 6}),
        ("/deposits", {"amount_sat": 5}, {"amount_sat": 5, "to": "available"}),
        ("/flattrs", url, {"url": "https://b.example/"}),
        ("/things", url, {"url": "https://b.example/"}),
        ("/subscriptions", {**url, "months": 3}, {**url, "months": 6}),
    ]
    for number, (path, body, other) in enumerate(requests):
        key = f"k{number}"
        first = await alice("POST", path, body, key=key)
        assert first.status in {200, 201}, first.body
        assert (await alice("POST", path, body, key=key)).body == first.body
        _problem(await alice("POST", path, other, key=key), 422, "idempotency-key-reused")
    await alice("PUT", "/pot", {"amount_sat": 0}, key="pot")
    _problem(await alice("PUT", "/pot", {"amount_sat": 1}, key="pot"), 422,
             "idempotency-key-reused")  # fmt: skip
    bob = await world.join("bob")
    assert (await bob("POST", "/deposits", {"amount_sat": 9}, key="k0")).status == 201
    for key in ("", "a b", "x" * 201, "kéy"):
        _problem(await alice("POST", "/deposits", {"amount_sat": 5}, key=key), 400, "bad-input")
        _problem(await alice("POST", "/flattrs", url, key=key), 400, "bad-input")


async def test_a_repeated_click_does_not_undo_an_undo(world):
    alice = await world.join("alice")
    url = {"url": "https://a.example/"}
    thing = (await alice("POST", "/flattrs", url, key="one")).body["thing"]
    await alice("DELETE", f"/flattrs?thing={thing}")
    await alice("POST", "/flattrs", url, key="one")
    assert (await alice("GET", "/month")).body["things"] == []


async def test_ones_own_thing_cannot_be_flattred(world):
    alice = await world.join("alice")
    thing = (await alice("POST", "/things", {"url": "https://a.example/"})).body["id"]
    await grant(world.node.store, world.clock, alice.id, thing)
    _problem(await alice("POST", "/flattrs", {"thing": thing}), 409, "conflict")


async def test_half_a_request_is_closed_at_the_deadline(tmp_path, clock):
    web = WebSettings(port=0, header_deadline_s=0.2, connections_per_address=3)
    async with open_world(tmp_path, clock, web=web) as world:
        port = int(world.url.rpartition(":")[2])
        for sent in (b"", b"GET /healthz HT", b"GET /healthz HTTP/1.1\r\nHost: x\r\n"):
            assert await _until_closed(port, sent) == b""
        assert b" 200 OK" in await _until_closed(port, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        alice = await world.join("alice")
        head = (
            f"POST /api/v1/flattrs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {alice.token}\r\n"
            "Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{"
        )
        late = await _until_closed(port, head.encode())
        assert b" 408 " in late
        assert b"/problems/too-slow" in late


async def test_what_is_no_http_or_too_much_of_it_is_a_problem(world):
    port = int(world.url.rpartition(":")[2])
    start = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
    for sent, status in [
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", b" 400 "),
        (start + b"Content-Length: x\r\n\r\n", b" 400 "),
        (start + b"A: " + b"a" * 10_000 + b"\r\n\r\n", b" 431 "),
        (start + b"".join(b"A%d: b\r\n" % n for n in range(200)) + b"\r\n", b" 431 "),
        (b"GET /" + b"a" * 10_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b" 431 "),
        (start + b"Expect: miracles\r\nConnection: close\r\n\r\n", b" 417 "),
    ]:
        answer = await _until_closed(port, sent)
        assert status in answer.partition(b"\r\n")[0], answer
        assert b"application/problem+json" in answer


async def test_more_connections_than_allowed_are_closed_at_once(tmp_path, clock):
    web = WebSettings(port=0, connections_per_address=2)
    async with open_world(tmp_path, clock, web=web) as world:
        port = int(world.url.rpartition(":")[2])
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        request = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        for _, writer in held:
            writer.write(request.replace(b"close", b"keep-alive"))
        for reader, _ in held:
            assert b"200" in await reader.readline()
        assert await _until_closed(port, request) == b""
        held[0][1].close()
        for _ in range(100):  # until the server has seen it close
            if b" 200 OK" in await _until_closed(port, request):
                break
        else:
            pytest.fail("a place that was left is not given to the next")
        held[1][1].close()


async def _until_closed(port, sent):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    try:
        async with asyncio.timeout(10):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()
