"""What members take away of the stablecoin, and that nobody leaves money in the vault."""

from __future__ import annotations

import csv
import io

from beancount import loader

from node.devnet.evm import local_key
from node.devnet.evm_vault import DOLLAR
from node.flows.claim import grant
from tests.conftest import MONTH
from tests.web.test_usd_month import NET, _close_and_pay, _month
from tests.web.wallets import account, book, link


async def test_both_assets_are_in_every_file_and_each_sums_up_by_itself(usd_world):
    world = usd_world
    alice, blog = await _month(world)
    await _close_and_pay(world)
    (month,) = (await blog("GET", "/earnings")).body["items"]
    assert (month["usd_flattrs"], month["earned_units"]) == (1, NET)
    (line,) = (await blog("GET", f"/earnings/{MONTH}")).body["things"]
    assert (line["average_units"], line["median_units"], line["flattrs"]) == (NET, NET, 0)
    revenue = (await blog("GET", "/earnings.csv?asset=usd")).body.decode().splitlines()
    assert revenue[1].endswith(";1;3,600000;1")
    for client, change in ((alice, 6 * DOLLAR), (blog, 0)):
        text = (await client("GET", "/ledger.csv")).body.decode()
        rows = [row for row in csv.DictReader(io.StringIO(text)) if row["asset"] == "usd"]
        assert sum(int(row["change"]) for row in rows) == change
        entries, errors, _ = loader.load_string(
            (await client("GET", "/ledger.beancount")).body.decode()
        )
        assert errors == []
        assert any("USDCOIN" in str(entry) for entry in entries)
    receipt = (await alice("GET", f"/months/{MONTH}/receipt.csv")).body.decode()
    usd = [row for row in csv.DictReader(io.StringIO(receipt)) if row["asset"] == "usd"]
    assert [(row["what"], row["amount"]) for row in usd][-1] == ("pot", "4.000000")
    export = (await alice("GET", "/me/export")).body
    assert export["chain_addresses"][0]["address"] == local_key("alice").address
    assert export["chain_events"]


async def test_the_stablecoin_has_an_estimate_of_its_own(usd_world):
    world = usd_world
    alice, blog = await world.join("alice"), await world.join("blog")
    await link(alice, "alice")
    await world.vault.deposit(await world.vault.local.funded("alice"), 10 * DOLLAR, 4 * DOLLAR)
    await book(world)
    thing = (await blog("POST", "/things", {"url": "https://blog.example/"})).body["id"]
    await grant(world.node.store, world.clock, blog.id, thing)
    await alice("POST", f"/things/{thing}/flattr")
    found = {one["asset"]: one for one in (await blog("GET", "/earnings")).body["estimates"]}
    assert found["usd"]["earned_units"] == NET
    assert found["sat"]["earned_units"] == 0
    assert found["usd"]["flattrs"] == found["sat"]["flattrs"] == 1


async def test_nobody_leaves_money_in_the_vault(usd_world):
    world = usd_world
    alice = await world.join("alice")
    await link(alice, "alice")
    await world.vault.deposit(await world.vault.local.funded("alice"), 10 * DOLLAR, 4 * DOLLAR)
    seen = (await alice("GET", "/me/closing")).body["in_the_way"]
    assert any("the vault has 10 usd of yours" in words for words in seen)  # not booked yet
    await book(world)
    refused = await alice("DELETE", "/me?name=alice")
    assert refused.slug == "conflict"
    assert "withdraw it with your own wallet" in refused.body["detail"]
    assert (await account(alice))[0]["balance_units"] == 10 * DOLLAR
