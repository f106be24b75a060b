"""A month of the stablecoin over HTTP, from the linked address to the proof of a payout."""

from __future__ import annotations

import json
from hashlib import sha256

from node.devnet.evm import local_key
from node.devnet.evm_vault import DOLLAR, act, set_blocked_calldata
from node.flows import schedule
from node.flows.claim import grant
from node.flows.vault import chain_money
from node.store import vault_months
from tests.conftest import MONTH
from tests.web.wallets import account, book, link, send

NET = 3_600_000
STEPS_MAX = 60


async def _month(world):
    """Alice's 4 dollars go to blog's one thing, in sats nothing."""
    alice, blog = await world.join("alice"), await world.join("blog")
    await link(alice, "alice")
    await world.vault.deposit(await world.vault.local.funded("alice"), 10 * DOLLAR, 4 * DOLLAR)
    await book(world)
    thing = (await blog("POST", "/things", {"url": "https://blog.example/"})).body["id"]
    await grant(world.node.store, world.clock, blog.id, thing)
    target = {"asset": "usd", "target": local_key("blog").address}
    assert (await blog("PUT", "/payout-target", target)).status == 200
    await alice("POST", f"/things/{thing}/flattr")
    world.clock.set(MONTH.ends_s)
    await world.vault.local.jump_to(MONTH.ends_s)
    return alice, blog


async def _close_and_pay(world) -> None:
    node = world.node
    for _ in range(STEPS_MAX):
        await schedule.close_what_is_over(node, lambda _: None)
        await schedule.close_in_stablecoin(node, lambda _: None)
        await node.vault_payer.round()
        await world.vault.local.mine()
        world.clock.advance(2)
        async with node.store.read() as tx:
            there = await vault_months.get(tx, MONTH)
            if there is not None and not await vault_months.unfinished(
                tx, node.stablecoin.money.chain_id, world.vault.address
            ):
                break
    else:
        raise AssertionError("the month is still under way")
    await chain_money.read(node.stablecoin.money)


async def test_a_month_of_the_stablecoin_ends_with_a_transaction_and_a_file_that_was_sealed(
    usd_world,
):
    world, path = usd_world, f"/public/months/{MONTH}/stablecoin"
    alice, blog = await _month(world)
    assert (await world.nobody("GET", path)).status == 404
    await _close_and_pay(world)
    (payout,) = (await blog("GET", "/payouts")).body["items"]
    assert (payout["state"], payout["asset"], payout["amount_units"]) == ("paid", "usd", NET)
    receipt = await world.vault.local.chain.receipt(payout["transaction"])
    assert receipt is not None
    assert receipt.ok
    assert await world.vault.vault.token_balance(local_key("blog").address) == NET
    async with world.http.get(f"{world.url}/api/v1{path}") as response:
        content, tag = await response.read(), response.headers["ETag"]
    async with world.node.store.read() as tx:
        sealed = await vault_months.get(tx, MONTH)
    assert tag == f'"0x{sealed.data_hash}"' == f'"0x{sha256(content).hexdigest()}"'
    receipt = (await alice("GET", f"/months/{MONTH}")).body
    assert receipt["closed"]
    assert receipt["usd"]["closed"]
    published = json.loads(content)
    assert receipt["usd"]["file_id"] in [row[0] for row in published["readers"]["rows"]]
    earned = (await blog("GET", f"/earnings/{MONTH}")).body["usd"]
    assert earned["file_id"] in [row[0] for row in published["creators"]["rows"]]
    seen, _ = await account(alice)
    assert (seen["balance_units"], seen["pot_units"]) == (6 * DOLLAR, 4 * DOLLAR)
    usd = (await alice("GET", "/balance")).body["usd"]
    assert (usd["available_units"], usd["pot_units"]) == (2 * DOLLAR, 4 * DOLLAR)


async def test_a_payout_that_the_token_refused_says_so_and_is_claimed_by_its_call(usd_world):
    world, vault, address = usd_world, usd_world.vault, local_key("blog").address
    _, blog = await _month(world)
    await act(vault.local, vault.owner, vault.token, set_blocked_calldata(address, True))
    await _close_and_pay(world)
    (payout,) = (await blog("GET", "/payouts")).body["items"]
    assert (payout["state"], payout["claimable"]) == ("paid", True)
    seen, calls = await account(blog)
    assert seen["claimable"] == [{"address": address, "units": NET}]
    await act(vault.local, vault.owner, vault.token, set_blocked_calldata(address, False))
    await send(world, "anybody", calls["claim"])
    assert await vault.vault.token_balance(address) == NET
