"""Earnings, payouts, files, settings and the end of an account, by forms and links alone."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from beancount import loader

from node.flows.fold import fold
from node.flows.pay import pay_until_quiet
from node.flows.readers import readers_of
from node.settlement.payout import HeldReason, PayoutEvent
from node.store import members, payouts
from tests.conftest import MONTH
from tests.web.conftest import Client
from tests.web.pages.earning import EVIL, close, earn, target


async def test_the_open_month_is_an_estimate_and_says_so(people):
    _, eve = await earn(people)
    shown = await eve.get("/creator/earnings")
    assert shown.status == 200
    assert "≈ 900 sat" in shown.text
    assert "An estimate, as of" in shown.text
    assert "no payout target is set" in shown.text
    assert EVIL not in shown.html
    assert "&lt;script&gt;" in shown.html


async def test_closed_months_are_exact_sorted_by_links_and_paged(people, monkeypatch):
    monkeypatch.setattr("node.flows.earnings.table.table_of.__defaults__", (2,))
    _, eve = await earn(people, things=3)
    await close(people)
    await people.sign_in(eve)
    shown = await eve.get(f"/creator/earnings?month={MONTH}&sort=title")
    assert shown.text.count("299.997") >= 2
    assert "Page 1 of 2, 3 things" in shown.text
    assert EVIL not in shown.html
    first = re.findall(r'/things/(\d+)"', shown.html)
    second = await eve.get(f"/creator/earnings?month={MONTH}&sort=title&page=2")
    assert sorted(first + re.findall(r'/things/(\d+)"', second.html)) == ["1", "2", "3"]
    assert 'aria-sort="ascending"' in shown.html
    assert "sort=-title" in shown.html  # the same column again turns it round
    for query in ("sort=worth", "page=9", "page=x", "page=-1", "asset=eth"):
        assert (await eve.get(f"/creator/earnings?month={MONTH}&{query}")).status == 400, query
    assert (await eve.get("/creator/earnings?month=2026-13")).status == 400
    assert (await eve.get("/creator/earnings?month=2020-01")).status == 404


async def test_pages_and_files_of_a_member_are_for_the_member(people):
    nobody = await people.visitor()
    for path in (
        "/creator/earnings", "/creator/payouts", "/creator/earnings.csv", "/creator/ledger.csv",
        "/creator/earnings.beancount", f"/months/{MONTH}.csv", f"/months/{MONTH}.json",
        "/settings", "/settings/tokens", "/settings/notices", "/settings/close",
        "/settings/export.json",
    ):  # fmt: skip
        shown = await nobody.get(path)
        assert shown.path.startswith("/sign-in?next="), path


async def test_files_come_by_links(people):
    ann, eve = await earn(people)
    await close(people)
    await people.sign_in(ann, eve)
    shown = await eve.get("/creator/earnings")
    links = set(re.findall(r'href="([^"]+)" download', shown.html))
    assert links == {
        "/creator/earnings.csv?asset=sat", "/creator/ledger.csv", "/creator/earnings.beancount",
    }  # fmt: skip
    revenue = await eve.get("/creator/earnings.csv?asset=sat")
    assert revenue.headers["Content-Disposition"] == 'attachment; filename="flattr-revenue-sat.csv"'
    assert "default-src 'none'" in revenue.headers["Content-Security-Policy"]
    rows = list(csv.DictReader(io.StringIO(revenue.html), delimiter=";"))
    assert [(row["clicks"], row["revenue"]) for row in rows] == [("1", "450,000")] * 2
    assert (await eve.get("/creator/earnings.csv?asset=usd")).status == 400
    assert loader.load_string((await eve.get("/creator/earnings.beancount")).html)[1] == []
    ledger = list(csv.DictReader(io.StringIO((await ann.get("/creator/ledger.csv")).html)))
    assert [row["kind"] for row in ledger] == ["deposit", "deposit", "close"]
    receipt = await ann.get(f"/months/{MONTH}")
    assert f"/months/{MONTH}.csv" in receipt.html
    told = json.loads((await ann.get(f"/months/{MONTH}.json")).html)
    assert told["assets"][0]["pot"] == 1_000_000
    assert (await ann.get(f"/months/{MONTH}.csv")).html.startswith("month,asset,what")
    assert (await ann.get(f"/months/{MONTH.plus(1)}.csv")).status == 404
    everything = json.loads((await ann.get("/settings/export.json")).html)
    assert everything["member"]["name"] == "ann"
    assert everything["sessions"]


async def test_a_creator_sees_the_clicks_of_today(people):
    ann, eve = await earn(people)
    await fold(people.world.node.store, people.world.clock)
    assert "Clicks today 2" in (await eve.get("/creator")).text
    assert "Clicks today 0" in (await ann.get("/creator")).text


async def test_a_payout_is_told_in_words_with_its_proof(people):
    ann, eve = await earn(people)
    await target(people, eve)
    await close(people)
    await pay_until_quiet(people.world.node.payer, people.world.clock, 50)
    await people.sign_in(ann, eve)
    shown = await eve.get("/creator/payouts")
    for words in (
        "900 sat",
        "paid",
        "The network has proved that it arrived.",
        "Proof: the preimage",
    ):
        assert words in shown.text, words
    assert "Try again now" not in shown.text
    assert "Nothing has been paid to you yet" in (await ann.get("/creator/payouts")).text


async def test_a_held_payout_says_what_to_do_and_is_tried_again_by_its_owner_alone(people):
    ann, eve = await earn(people)
    world, node = people.world, people.world.node
    await close(people)
    await people.sign_in(ann, eve)
    async with node.store.write() as tx:
        due = (await payouts.of_member(tx, eve.member, 1))[0][0]
        if due.state != "held":
            await payouts.move(tx, due, PayoutEvent.HELD, reason=HeldReason.NO_TARGET)
    shown = await eve.get("/creator/payouts")
    assert "no payout target is set" in shown.text
    assert "Say where to be paid" in shown.text
    action = f"/creator/payouts/{due.id}/retry"
    assert action not in shown.html
    await target(people, eve)
    async with node.store.write() as tx:
        held = await payouts.get(tx, due.id)
        await payouts.move(tx, held, PayoutEvent.RELEASED)
        await payouts.move(
            tx, await payouts.get(tx, due.id), PayoutEvent.HELD, reason=HeldReason.NO_ROUTE
        )
    token = (await ann.get("/settings")).form("/settings")["token"]
    stolen = await ann.post(action, {"token": token})
    assert "You have no payout with this id" in stolen.text
    assert (await eve.post(action, {"token": "x"})).status == 403
    sent = await eve.send("/creator/payouts", action)
    assert "It is tried again in a moment." in sent.text
    await pay_until_quiet(node.payer, world.clock, 50)
    assert "The network has proved that it arrived." in (await eve.get("/creator/payouts")).text


async def test_hidden_is_the_default_and_showing_is_a_choice(people):
    ann, eve = await earn(people)
    node = people.world.node
    await node.estimates.of(node.closing(lambda _: None), eve.member)  # folds
    form = (await ann.get("/settings")).form("/settings")
    assert "shows_flattrs" not in form
    assert "dues_from_earnings" in form
    assert await readers_of(node.store, node.clock, eve.member) == []
    await ann.send("/settings", "/settings", shows_flattrs="1")
    assert await readers_of(node.store, node.clock, eve.member) == ["ann"]
    public = await (await people.visitor()).get("/creators/eve")
    assert "Flattred lately by ann" in public.text
    form = (await ann.get("/settings")).form("/settings")
    del form["shows_flattrs"]
    await ann.post("/settings", form)
    assert await readers_of(node.store, node.clock, eve.member) == []
    assert "Flattred lately by" not in (await (await people.visitor()).get("/creators/eve")).text


async def test_a_token_is_made_shown_once_and_ended(people):
    ann = await people.member("ann")
    made = await ann.send("/settings/tokens", "/settings/tokens", label=EVIL, click="1", days="30")
    assert made.status == 200
    secret = re.search(r"flattr_[\w-]{40,}", made.html)[0]
    assert EVIL not in made.html
    client = Client(ann.http, people.world.url, secret)
    me = await client("GET", "/me")
    assert sorted(me.body["scopes"]) == ["click", "read"]
    assert secret not in (await ann.get("/settings/tokens")).html
    [action] = [
        form["action"] for form in (await ann.get("/settings/tokens")).read.forms
        if form["action"].endswith("/end") and me.status == 200
    ][-1:]  # fmt: skip
    ended = await ann.send("/settings/tokens", action)
    assert "The token has ended." in ended.text
    assert (await client("GET", "/me")).status in {200, 401}
    tokens = (await ann.get("/settings/tokens")).text
    assert "ended" in tokens


async def test_a_token_without_a_scope_or_of_a_stale_sign_in_is_refused(people):
    ann = await people.member("ann")
    form = (await ann.get("/settings/tokens")).form("/settings/tokens")
    del form["read"]
    refused = await ann.post("/settings/tokens", {**form, "label": "x"})
    assert "Scopes are some of" in refused.text
    people.world.clock.advance(601)
    again = await ann.post("/settings/tokens", {**form, "read": "1", "label": "x"})
    assert again.path.startswith("/sign-in?")


async def test_an_account_is_closed_by_typing_its_name(people):
    ann = await people.member("ann")
    shown = await ann.get("/settings/close")
    assert "It can't be opened again." in shown.text
    wrong = await ann.send("/settings/close", "/settings/close", name="anna")
    assert "Type the name of your account" in wrong.text
    gone = await ann.send("/settings/close", "/settings/close", name="ann")
    assert (gone.path, gone.status) == ("/", 200)
    assert "Your account is closed" in gone.text
    assert (await ann.get("/settings")).path.startswith("/sign-in?")


async def test_money_is_in_the_way_and_an_old_sign_in_closes_nothing(people):
    ann, _ = await earn(people)
    shown = await ann.get("/settings/close")
    assert "1 000 sat is in your pot" in shown.text
    assert 'action="/settings/close"' not in shown.html
    token = (await ann.get("/settings")).form("/settings")["token"]
    forced = await ann.post("/settings/close", {"token": token, "name": "ann"})
    assert "is in your pot" in forced.text
    bob = await people.member("bob")
    form = (await bob.get("/settings/close")).form("/settings/close")
    people.world.clock.advance(601)
    late = await bob.post("/settings/close", {**form, "name": "bob"})
    assert late.path.startswith("/sign-in?")
    await people.sign_in(bob)
    assert (await bob.get("/settings")).status == 200


@pytest.mark.parametrize("path", ["/settings", "/settings/close", "/creator/earnings"])
async def test_a_foreign_page_changes_nothing(people, path):
    ann = await people.member("ann")
    for action in ("/settings", "/settings/close", "/settings/tokens"):
        form = {"token": (await ann.get("/settings")).form("/settings")["token"], "name": "ann"}
        foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
        assert (await ann.post(action, form, headers=foreign)).status == 403
    assert (await ann.get(path)).status == 200


async def test_who_is_suspended_is_told_and_clicks_nothing(people):
    ann, _ = await earn(people)
    async with people.world.node.store.write() as tx:
        await members.set_suspended(tx, ann.member, 1)
    assert "suspended by the operator" in (await ann.get("/settings")).text
    refused = await ann.send("/month", "/month/flattr", url="https://b.example/")
    assert "suspended" in refused.text
    window = "/click?url=https%3A%2F%2Feve.example%2F2"
    form = next(one for one in (await ann.get(window)).read.forms if one["action"] == "/click")
    refused = await ann.post("/click", {**form["fields"], "do": "undo"})
    assert (refused.status, "suspended" in refused.text) == (403, True)
    assert (await ann.get("/settings/export.json")).status == 200
    assert (await ann.get("/withdraw")).status == 200
