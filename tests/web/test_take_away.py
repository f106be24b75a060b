"""What members take away over HTTP, and how they leave."""

from __future__ import annotations

import csv
import io
import json

import pytest
from beancount import loader

from node.config import WebSettings
from node.flows.claim import grant
from node.flows.close import close_month
from node.flows.fund import EXPIRY_S
from node.flows.pay import pay_until_quiet
from tests.conftest import MONTH
from tests.web.conftest import Client, open_world

FILES = ("/earnings.csv", "/ledger.csv", "/ledger.beancount", "/me/export")


async def _closed_month(world):
    """Ann gave 1000 sat to eve's two things; eve is paid."""
    ann, eve = await world.join("ann"), await world.join("eve")
    await world.fund(ann, 1_000)
    await world.fund(eve, 2_000)
    for number in (1, 2):
        asked = {"url": f"https://eve.example/{number}", "title": f"Number {number}"}
        thing = (await eve("POST", "/things", asked)).body["id"]
        await grant(world.node.store, world.clock, eve.id, thing)
        await ann("POST", f"/things/{thing}/flattr")
    await eve("PUT", "/payout-target", {"target": world.lnurl.address("creator")})
    estimate = (await eve("GET", "/earnings")).body
    world.clock.set(MONTH.ends_s)
    await close_month(world.node.closing(lambda _: None), MONTH)
    await pay_until_quiet(world.node.payer, world.clock, 50)
    return ann, eve, estimate


async def test_the_estimate_is_told_as_one_and_becomes_the_month(both_worlds):
    _, eve, before = await _closed_month(both_worlds)
    assert before["items"] == []
    (estimate,) = before["estimates"]
    assert (estimate["month"], estimate["asset"]) == (str(MONTH), "sat")
    assert (estimate["flattrs"], estimate["earned_units"]) == (2, 900_000)
    assert estimate["waits"] is None or "target" in estimate["waits"]
    after = (await eve("GET", "/earnings")).body
    (month,) = after["items"]
    assert (month["month"], month["flattrs"], month["earned_msat"]) == (str(MONTH), 2, 900_000)
    assert month["earned_units"] is None
    assert [one["month"] for one in after["estimates"]] == [str(MONTH.plus(1))]
    assert after["estimates"][0]["earned_units"] == 0


async def test_things_are_sorted_and_paged_and_the_total_is_of_all(world):
    _, eve, _ = await _closed_month(world)
    path = f"/earnings/{MONTH}"
    first = (await eve("GET", path + "?sort=-title&limit=1")).body
    assert [one["title"] for one in first["things"]] == ["Number 2"]
    assert first["earned_msat"] == 900_000
    assert (first["things"][0]["average_msat"], first["things"][0]["median_msat"]) == (450_000,) * 2
    second = await eve("GET", f"{path}?sort=-title&limit=1&after={first['next']}")
    assert [one["title"] for one in second.body["things"]] == ["Number 1"]
    assert second.body["next"] is None
    for wrong in ("sort=worth", "after=-1", "after=0", "limit=0", "after=x"):
        assert (await eve("GET", f"{path}?{wrong}")).status == 400, wrong


async def test_files_are_whole_and_only_of_who_asks(both_worlds):
    world = both_worlds
    ann, eve, _ = await _closed_month(world)
    revenue = await eve("GET", "/earnings.csv")
    assert revenue.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in revenue.headers["Content-Disposition"]
    assert revenue.headers["Flattr-Network"] == "simnet"
    assert revenue.body.decode().count("\n") == 3
    assert ";450,000;1" in revenue.body.decode()
    assert (await ann("GET", "/earnings.csv")).body.decode().count("\n") == 1
    for client, total in ((ann, 0), (eve, 2_000_000)):
        rows = list(csv.DictReader(io.StringIO((await client("GET", "/ledger.csv")).body.decode())))
        assert sum(int(row["change"]) for row in rows) == total
        text = (await client("GET", "/ledger.beancount")).body.decode()
        assert loader.load_string(text)[1] == []
    receipt = (await ann("GET", f"/months/{MONTH}/receipt.csv")).body.decode()
    assert [row["what"] for row in csv.DictReader(io.StringIO(receipt))] == [
        "thing", "thing", "carry", "pot",
    ]  # fmt: skip
    assert (await ann("GET", f"/months/{MONTH.plus(1)}/receipt.csv")).status == 404
    assert (await eve("GET", "/earnings.csv?asset=usd")).slug == "no-stablecoin"


async def test_the_export_has_everything_and_no_secret(both_worlds):
    world = both_worlds
    ann, eve, _ = await _closed_month(world)
    await ann("POST", "/subscriptions", {"thing": 1, "months": 3}, key="once")
    await ann("POST", "/deposits", {"amount_sat": 500})
    found = (await ann("GET", "/me/export")).body
    assert found["member"]["name"] == "ann"
    assert [one["label"] for one in found["tokens"]] == ["first"]
    assert len(found["flattrs"][0]["things"]) == 2
    assert found["flattrs"][0]["month"] == str(MONTH)
    assert [one["state"] for one in found["deposits"]] == ["settled", "open"]
    assert found["receipts"][0]["assets"][0]["pot"] == 1_000_000
    assert [one["kind"] for one in found["ledger"]] == ["deposit", "deposit", "close"]
    assert len(found["subscriptions"]) == len(found["answered_requests"]) == 1
    assert found["earnings"] == []
    hers = (await eve("GET", "/me/export")).body
    assert [one["url"] for one in hers["things"]] == [
        "https://eve.example/1", "https://eve.example/2",
    ]  # fmt: skip
    (payout,) = hers["payouts"]
    assert payout["state"] == "paid"
    assert payout["proof"] == hers["attempts"][0]["proof"]
    assert hers["payout_targets"][0]["target"] == world.lnurl.address("creator")
    assert sum(one["units"] for one in hers["earnings"]) == 900_000
    both = json.dumps([found, hers])
    async with world.node.store.read() as tx:
        hashes = [row.hash for row in await tx.rows("SELECT hash FROM token")]
    for secret in (ann.token, eve.token, *hashes):
        assert secret not in both
    assert '"eve"' not in json.dumps(found)


async def test_a_download_needs_a_token_and_has_its_limit(world):
    alice = await world.join("alice")
    for path in FILES:
        assert (await world.nobody("GET", path)).status == 401
        made = await alice(
            "POST", "/tokens", {"label": "x", "scopes": ["click", "things", "money"]}
        )
        weak = Client(world.http, world.url, made.body["secret"])
        assert (await weak("GET", path)).status == 403
        head = await alice("HEAD", path)
        assert (head.status, head.body) == (200, b"")


async def test_a_file_that_can_not_be_finished_is_broken_off(world, monkeypatch):
    alice = await world.join("alice")

    async def pieces(*_):
        yield "whole,"
        raise RuntimeError("the database is away")

    monkeypatch.setattr("node.web.api_earnings.ledger_csv", pieces)
    with pytest.raises(Exception, match=r"payload|Connection|disconnected"):
        await alice("GET", "/ledger.csv")

    async def none(*_):
        raise RuntimeError("the database is away")
        yield ""

    monkeypatch.setattr("node.web.api_earnings.ledger_csv", none)
    assert (await alice("GET", "/ledger.csv")).status == 500


async def test_an_account_closes_when_its_money_is_out_and_its_token_ends(both_worlds):
    world = both_worlds
    ann, eve, _ = await _closed_month(world)
    await ann("POST", "/deposits", {"amount_sat": 500})
    refused = await ann("DELETE", "/me?name=ann")
    assert (refused.status, refused.slug) == (409, "conflict")
    assert "invoice" in refused.body["detail"]
    world.clock.advance(EXPIRY_S + 1)
    assert (await eve("GET", "/me/closing")).body["in_the_way"] == [
        "2\u2009000 sat is in your pot: set the pot to 0 and withdraw it"
    ]
    assert (await ann("DELETE", "/me")).status == 400
    assert (await ann("DELETE", "/me?name=eve")).status == 400
    assert (await ann("DELETE", "/me?name=ann&leaves_msat=1")).status == 400
    answer = await ann("DELETE", "/me?name=ann")
    assert answer.body == {"name": "ann", "things_released": 0}
    for method, path in [("GET", "/me"), ("POST", "/flattrs"), ("GET", "/me/export")]:
        assert (await ann(method, path, {} if method == "POST" else None)).status == 401
    assert (await world.nobody("POST", "/members", {"name": "ann"})).status == 409
    assert len((await eve("GET", "/payouts")).body["items"]) == 1


async def test_settings_change_one_at_a_time(world):
    alice = await world.join("alice")
    assert not (await alice("GET", "/me")).body["shows_flattrs"]
    changed = (await alice("PATCH", "/me", {"shows_flattrs": True})).body
    assert (changed["shows_flattrs"], changed["dues_from_earnings"]) == (True, True)
    changed = (await alice("PATCH", "/me", {"dues_from_earnings": False})).body
    assert (changed["shows_flattrs"], changed["dues_from_earnings"]) == (True, False)
    assert (await alice("PATCH", "/me", {})).status == 400


async def test_a_payout_of_another_is_not_retried(world):
    ann, eve, _ = await _closed_month(world)
    payout = (await eve("GET", "/payouts")).body["items"][0]["id"]
    assert (await ann("POST", f"/payouts/{payout}/retry")).status == 404
    paid = await eve("POST", f"/payouts/{payout}/retry")
    assert (paid.status, paid.slug) == (409, "conflict")
    assert "paid" in paid.body["detail"]


async def test_downloads_are_few_a_minute(tmp_path, clock):
    few = WebSettings(port=0, requests_per_minute=200, joins_per_hour=10)
    async with open_world(tmp_path, clock, web=few) as world:
        alice = await world.join("alice")
        seen = [(await alice("GET", path)).status for path in ("/ledger.csv", "/me/export") * 2]
        assert seen == [200, 200, 429, 429]
        assert (await alice("GET", "/me")).status == 200
        clock.advance(60)
        assert (await alice("GET", "/earnings.csv")).status == 200
