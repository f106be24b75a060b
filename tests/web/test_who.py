"""Who may do what: tokens, scopes, and that nothing of one member is another's."""

from __future__ import annotations

import pytest

from node.flows import join
from node.flows.claim import grant
from node.flows.pay import pay_until_quiet
from node.web.routes import all_routes
from tests.web.conftest import Client

DAY_S = 86_400


async def test_a_token_is_needed_and_none_but_a_valid_one_will_do(world):
    alice = await world.join("alice")
    for header in (
        "", "Bearer ", "Bearer flattr_unknown", f"bearer{alice.token}", f"Basic {alice.token}",
        f"Bearer {alice.token} x", "Bearer \u00e9", "Bearer " + "x" * 500,
    ):  # fmt: skip
        for method, path in [("GET", "/me"), ("POST", "/flattrs"), ("DELETE", "/flattrs")]:
            answer = await world.nobody(method, path, headers={"Authorization": header})
            assert (answer.status, answer.slug) == (401, "unauthorized"), header
            assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert (await world.nobody("GET", "/me")).status == 401


@pytest.mark.parametrize("path", ["/me", "/month"])
async def test_a_revoked_token_ends_at_once_and_an_expired_one_in_time(world, path):
    alice = await world.join("alice")
    asked = {"label": "phone", "scopes": ["read", "click"], "days": 1}
    made = (await alice("POST", "/tokens", asked)).body
    phone = Client(world.http, world.url, made["secret"])
    other = Client(world.http, world.url, (await alice("POST", "/tokens", asked)).body["secret"])
    assert (await phone("GET", path)).status == 200
    assert (await phone("POST", "/flattrs", {"url": "https://a.example/"})).status == 200
    listed = (await alice("DELETE", f"/tokens/{made['id']}")).body["items"]
    assert [one["revoked"] for one in listed if one["id"] == made["id"]] == [True]
    assert "secret" not in listed[0]
    assert (await phone("GET", path)).status == 401
    assert (await phone("POST", "/flattrs", {"url": "https://a.example/"})).status == 401
    assert (await other("GET", path)).status == 200
    world.clock.advance(DAY_S)
    assert (await other("GET", path)).status == 401
    assert (await other("POST", "/flattrs", {"url": "https://a.example/"})).status == 401


async def test_a_token_revoked_by_another_process_ends_within_a_minute(world):
    alice = await world.join("alice")
    token = (await alice("GET", "/tokens")).body["items"][0]["id"]
    await join.revoke_token(world.node.store, world.clock, alice.id, token)
    world.clock.advance(60)
    assert (await alice("GET", "/me")).status == 401


async def test_each_route_asks_for_its_scope_and_no_token_makes_a_stronger_one(world):
    alice = await world.join("alice")
    tokens = {}
    for scope in ("read", "click", "things", "money"):
        made = await alice("POST", "/tokens", {"label": scope, "scopes": [scope]})
        tokens[scope] = Client(world.http, world.url, made.body["secret"])
    for scope in ([join.FEED], [join.FEED, "read"]):  # it is made on the page of payouts alone
        asked = {"label": "x", "scopes": scope}
        assert (await alice("POST", "/tokens", asked)).slug == "bad-input"
    made = await join.make_token(
        world.node.store, world.clock, alice.id, "x", frozenset({join.FEED}), 9
    )
    tokens[join.FEED] = Client(world.http, world.url, made.secret)
    for route in _routes():
        path = route.path.replace("{month}", "2026-11").removeprefix("/api/v1")
        for name in ("thing", "site", "deposit", "payout", "token"):
            path = path.replace(f"{{{name}}}", "1")
        for scope, client in tokens.items():
            answer = await client(route.method, path, {} if route.body else None)
            refused = answer.status == 403
            assert refused == (scope != route.scope), (route.method, route.path, scope)
    stronger = {"label": "x", "scopes": ["money", "click"]}
    assert (await tokens["money"]("POST", "/tokens", stronger)).slug == "forbidden"


def _routes():
    return [route for group in all_routes().values() for route in group if route.scope]


async def test_nothing_of_one_member_is_seen_or_changed_by_another(both_worlds):
    world = both_worlds
    alice, mallory = await world.join("alice"), await world.join("mallory")
    await world.fund(alice, 3_000)
    await world.fund(alice, 500, "available")
    thing = (await alice("POST", "/things", {"url": "https://a.example/"})).body["id"]
    other = (await alice("POST", "/flattrs", {"url": "https://b.example/"})).body["thing"]
    await grant(world.node.store, world.clock, alice.id, thing)
    target = world.lnurl.address("creator")
    await alice("PUT", "/payout-target", {"target": target})
    asked = {"target": target, "amount_sat": 100}
    payout = (await alice("POST", "/withdrawals", asked, key="w")).body["id"]
    await pay_until_quiet(world.node.payer, world.clock, 50)
    await alice("POST", "/subscriptions", {"thing": other, "months": 3})
    deposit = (await alice("GET", "/deposits")).body["items"][0]["id"]
    token = (await alice("GET", "/tokens")).body["items"][0]["id"]
    await alice("GET", "/earnings")  # folds the click: it is in another part of the export then
    before = await _everything(alice)
    for method, path in [
        ("GET", f"/deposits/{deposit}"),
        ("GET", f"/payouts/{payout}"),
        ("DELETE", f"/tokens/{token}"),
        ("DELETE", f"/subscriptions/{other}"),
    ]:
        assert (await mallory(method, path)).status == 404, path
    assert (await mallory("POST", f"/things/{thing}/claim")).status == 409
    assert (await mallory("PUT", "/pot", {"amount_sat": 1})).status == 409
    same_key = await mallory("POST", "/withdrawals", asked, key="w")
    assert (same_key.status, same_key.slug) == (409, "insufficient-funds")
    await mallory("DELETE", f"/things/{other}/flattr")
    await mallory("PATCH", "/me", {"dues_from_earnings": False})
    await mallory("PUT", "/means", {"amount_sat": 9})
    _demand_empty(await _everything(mallory), thing)
    assert await _everything(alice) == before


def _demand_empty(seen, thing):
    for path in ("/deposits", "/payouts", "/me/things", "/subscriptions", "/notices"):
        assert seen[path]["items"] == [], path
    assert seen["/month"]["things"] == []
    assert seen["/payout-target"]["target"] is None
    assert seen["/balance"]["available_msat"] == seen["/balance"]["pot_msat"] == 0
    assert not seen[f"/things/{thing}"]["mine"]


async def _everything(client):
    paths = [
        route.path.removeprefix("/api/v1") for route in _routes()
        if route.method == "GET" and "{" not in route.path and route.path != "/api/v1/things"
    ]  # fmt: skip
    found = {path: (await client("GET", path)).body for path in [*paths, "/things/1"]}
    told = {path: body for path, body in found.items() if isinstance(body, dict)}
    refused = {path: body["type"] for path, body in told.items() if "type" in body}
    assert refused == {"/stablecoin/account": "/problems/no-stablecoin"}, found
    return found
