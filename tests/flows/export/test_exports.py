"""What members take away: complete to the base unit, of nobody else, harmless to spreadsheets."""

from __future__ import annotations

import csv
import io
import json

import pytest
from beancount import loader
from beancount.core.data import Balance, Transaction
from beancount.core.realization import compute_balance, get, realize

from node.errors import NotFound
from node.flows.earnings.known import KnownEarnings
from node.flows.export import ledger
from node.flows.export.beancount import beancount
from node.flows.export.cells import exact, text_cell, with_comma
from node.flows.export.earnings import earnings_csv
from node.flows.export.ledger import ledger_csv, open_ledger, read_ledger
from node.flows.export.receipt import receipt_csv, receipt_json, receipt_of
from node.flows.look import member_of
from node.ids import ThingId
from node.money import Asset, sats
from node.store import things
from tests.conftest import MONTH
from tests.flows.export.books import NEXT, busy_months
from tests.world import open_world

SAT = (Asset.SAT,)


async def _text(pieces) -> str:
    return "".join([piece async for piece in pieces])


async def test_the_ledger_has_every_posting_of_the_member_and_sums_up_to_the_balances(store, clock):
    async with open_world(store, clock) as world:
        await busy_months(world)
        for name in ("ann", "bob", "eve"):
            member = world.members[name]
            text = await _text(ledger_csv(store, clock, member, SAT))
            rows = list(csv.DictReader(io.StringIO(text)))
            mine = await open_ledger(store, clock, member, Asset.SAT)
            assert sum(int(row["change"]) for row in rows) == sum(
                one.balance for one in mine.accounts.values()
            )
            assert [row["time"] for row in rows] == sorted(row["time"] for row in rows)
            assert all(exact(int(row["units"]), Asset.SAT) == row["amount"] for row in rows)
        assert {row["kind"] for row in rows} == {
            "deposit", "close", "release", "dues", "open", "settle"
        }  # fmt: skip
        held = [row for row in rows if row["to"] == "held"]
        assert [(row["from"], row["month"]) for row in held] == [(f"closing:{MONTH}", str(MONTH))]


async def test_no_other_member_is_named_in_a_ledger(store, clock):
    async with open_world(store, clock) as world:
        await busy_months(world)
        text = await _text(ledger_csv(store, clock, world.members["ann"], SAT))
        for row in csv.DictReader(io.StringIO(text)):
            for side in (row["from"], row["to"]):
                kind, _, rest = side.partition(":")
                assert rest == "" or kind in {"wallet", "closing", "pot", "payout"}, side
                assert kind != "pot" or rest in {str(MONTH), str(NEXT), str(NEXT.plus(1))}
            assert not row["reference"].startswith("member")


async def test_a_ledger_read_in_pieces_is_the_same_and_stops_where_it_began(
    store, clock, monkeypatch
):
    async with open_world(store, clock) as world:
        await busy_months(world)
        ann = world.members["ann"]
        whole = await open_ledger(store, clock, ann, Asset.SAT)
        at_once = [one async for piece in read_ledger(store, whole) for one in piece]
        monkeypatch.setattr(ledger, "POSTINGS_A_PIECE", 2)
        pieces = []
        async for piece in read_ledger(store, whole):
            pieces.append(piece)
            await world.fund("ann", sats(100), to_pot=False, at_s=None)
        assert max(map(len, pieces)) == 2
        assert [one for piece in pieces for one in piece] == at_once
        again = await open_ledger(store, clock, ann, Asset.SAT)
        assert again.upto > whole.upto


@pytest.mark.parametrize("piece", [2, 2000])
async def test_bean_check_accepts_the_ledger_and_its_balances(store, clock, monkeypatch, piece):
    monkeypatch.setattr(ledger, "POSTINGS_A_PIECE", piece)
    async with open_world(store, clock) as world:
        await busy_months(world)
        for name in ("ann", "bob", "eve"):
            member = await member_of(store, world.members[name])
            text = await _text(beancount(store, clock, member, SAT, "simnet"))
            entries, errors, _ = loader.load_string(text)
            assert errors == []
            assert sum(isinstance(one, Balance) for one in entries) == 5
            assert sum(isinstance(one, Transaction) for one in entries) > 1
        earned = compute_balance(get(realize(entries), "Income:Flattr:Earned"))
        books = await KnownEarnings().months(store, Asset.SAT, member.id, 12)
        assert -earned.get_currency_units("SAT").number * 1000 == sum(
            one.total.units for one in books
        )


async def test_bean_check_finds_it_when_a_posting_is_missing(store, clock):
    async with open_world(store, clock) as world:
        await busy_months(world)
        member = await member_of(store, world.members["eve"])
        text = await _text(beancount(store, clock, member, SAT, "simnet"))
        cut = text.replace("  Assets:Flattr:Held  ", "  Assets:Flattr:Earned  ", 1)
        assert loader.load_string(text)[1] == []
        assert loader.load_string(cut)[1] != []


async def test_a_withdrawals_fee_is_a_cost_and_not_in_the_wallet(store, clock):
    async with open_world(store, clock) as world:
        await busy_months(world)
        ann = await member_of(store, world.members["ann"])
        entries, errors, _ = loader.load_string(
            await _text(beancount(store, clock, ann, SAT, "simnet"))
        )
        assert errors == []
        tree = realize(entries)
        fees = compute_balance(get(tree, "Expenses:Flattr:Fees")).get_currency_units("SAT").number
        (payout,) = await world.payouts_of(ann.id)
        async with store.read() as tx:
            fee = await tx.value("SELECT fee FROM payout WHERE id = :id", id=payout.id)
        assert fee > 0
        assert fees * 1000 == fee
        wallet = compute_balance(get(tree, "Assets:Wallet:Lightning")).get_currency_units("SAT")
        assert wallet.number == 300 - 5_003 - 900 - 400


async def test_the_revenue_has_flattrs_old_columns(store, clock):
    async with open_world(store, clock) as world:
        await busy_months(world)
        text = await _text(
            earnings_csv(
                store, KnownEarnings(), world.members["eve"], Asset.SAT, "https://node.example/"
            )
        )
        lines = text.splitlines()
        assert lines[0] == "period;id;flattr url;url;title;clicks;revenue;clicks total"
        two, one = world.things["eve-2"].id, world.things["eve-1"].id

        def named(thing, number):
            link = f"https://node.example/things/{thing}"
            return f'"{link}";"https://example.org/eve-{number}";"eve-{number}"'

        assert lines[1:] == [
            f"{MONTH};{two};{named(two, 2)};2;3152,250;2",
            f"{MONTH};{one};{named(one, 1)};1;2251,350;1",
            f"{NEXT};{two};{named(two, 2)};1;360,000;3",
        ]
        rows = list(csv.DictReader(io.StringIO(text), delimiter=";"))
        assert {row["title"] for row in rows} == {"eve-1", "eve-2"}
        other = earnings_csv(store, KnownEarnings(), world.members["ann"], Asset.SAT, "")
        assert (await _text(other)).splitlines() == lines[:1]


async def test_no_cell_is_a_formula(store, clock):
    evil = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\r=1")
    for title in evil:
        assert text_cell(title) == f'"\'{title}"'
    assert text_cell('a "word"; more') == '"a ""word""; more"'
    async with open_world(store, clock) as world:
        await world.join("ann", "eve")
        await world.thing("eve-1", "eve")
        async with store.write() as tx:
            await tx.run("UPDATE thing SET title = :title", title='=HYPERLINK("x";"y")')
        await world.fund("ann", sats(100), to_pot=True, at_s=None)
        await world.flattr("ann", "eve-1")
        await world.close(MONTH)
        eve, ann = world.members["eve"], world.members["ann"]
        text = await _text(
            earnings_csv(store, KnownEarnings(), eve, Asset.SAT, "https://n.example")
        )
        (row,) = csv.DictReader(io.StringIO(text), delimiter=";")
        assert row["title"] == '\'=HYPERLINK("x";"y")'
        receipt = await receipt_of(store, clock, [world.rules], ann, MONTH, "ann", "simnet")
        assert "'=HYPERLINK" in receipt_csv(receipt)


def test_amounts_have_all_their_places_and_no_rounding():
    assert exact(1, Asset.SAT) == "0.001"
    assert exact(-1_234_567_890_123_456, Asset.SAT) == "-1234567890123.456"
    assert exact(9_223_372_036_854_775_807, Asset.USD) == "9223372036854.775807"
    assert with_comma(95_000, Asset.SAT) == "95,000"


async def test_a_receipt_sums_up_to_the_pot(store, clock):
    async with open_world(store, clock) as world:
        await busy_months(world)
        ann = world.members["ann"]
        receipt = await receipt_of(store, clock, [world.rules], ann, MONTH, "ann", "simnet")
        rows = list(csv.DictReader(io.StringIO(receipt_csv(receipt))))
        assert [row["what"] for row in rows] == ["thing", "thing", "carry", "pot"]
        *parts, pot = [int(row["amount"].replace(".", "")) for row in rows]
        assert sum(parts) == pot == 5_003_000
        tenths = [int(row["commission"].replace(".", "")) for row in rows]
        assert sum(tenths[:2]) == tenths[3]
        told = json.loads(json.dumps(receipt_json(receipt)))
        (sat,) = told["assets"]
        assert sat["share"] * sat["flattrs"] + sat["carry"] == sat["pot"]
        assert [one["url"] for one in sat["things"]] == [
            "https://example.org/eve-1", "https://example.org/eve-2",
        ]  # fmt: skip
        assert len(sat["digest"]) == 64
        with pytest.raises(NotFound):
            await receipt_of(store, clock, [world.rules], ann, NEXT.plus(1), "ann", "simnet")
        async with store.read() as tx:
            assert await things.get(tx, ThingId(sat["things"][0]["thing"]))
