"""The members' side of the vault over HTTP, on the real contract."""

from __future__ import annotations

from node.config import WebSettings
from node.devnet.evm import local_key
from node.devnet.evm_vault import DOLLAR, act, set_blocked_calldata, set_paused_calldata
from node.errors import RailUnavailable
from node.settlement.tree import Tree, leaf
from node.wallet.stablecoin.calldata import (
    charge_calldata,
    open_month_calldata,
    pay_batch_calldata,
    seal_calldata,
)
from node.wallet.stablecoin.siwe import VALID_MAX_S
from node.wallet.stablecoin.words import word
from tests.conftest import MONTH
from tests.web.conftest import Client, open_world
from tests.web.wallets import account, book, challenge, link, send, signed


async def test_a_deposit_is_made_by_the_calls_of_the_account_and_booked(usd_world):
    world, vault = usd_world, usd_world.vault
    alice, address = await world.join("alice"), local_key("alice").address
    none, _ = await account(alice)
    assert (none["address"], none["calls"]) == (None, [])
    assert "link" in none["words"][0]
    linked = await link(alice, "alice")
    assert (linked["address"], linked["available_units"], linked["pot_units"]) == (address, 0, 0)
    await vault.mint(address, 20 * DOLLAR)
    asked = f"?deposit_units={12 * DOLLAR}&pot_units={4 * DOLLAR}"
    seen, calls = await account(alice, asked)
    assert seen["wallet_units"] == 20 * DOLLAR
    assert calls["deposit"]["link"] == (
        f"ethereum:{vault.address}@{vault.local.chain_id}/deposit"
        f"?uint256=12000000&address={address}&uint64=4000000"
    )
    await send(world, "alice", calls["approve"])
    await send(world, "alice", calls["deposit"])
    await book(world)
    usd = (await alice("GET", "/balance")).body["usd"]
    assert (usd["available_units"], usd["pot_units"]) == (8 * DOLLAR, 4 * DOLLAR)
    assert usd["text"] == f"8 usd available, 4 usd in the pot of {MONTH}"
    seen, _ = await account(alice)
    assert (seen["balance_units"], seen["pot_units"]) == (12 * DOLLAR, 4 * DOLLAR)
    assert (seen["free_units"], seen["exit_s"]) == (8 * DOLLAR, None)


async def test_all_of_it_comes_out_again_by_the_calls_of_the_account(usd_world):
    world, vault = usd_world, usd_world.vault
    alice, address = await world.join("alice"), local_key("alice").address
    await link(alice, "alice")
    await vault.deposit(await vault.local.funded("alice"), 12 * DOLLAR, 4 * DOLLAR)
    seen, calls = await account(alice, f"?pot_units={5 * DOLLAR}")
    assert "4 usd are locked: request_exit frees them 14 days later" in seen["words"]
    assert calls["withdraw"]["words"] == "take 8 usd out to your address"
    for name in ("withdraw", "set_pot", "request_exit"):
        await send(world, "alice", calls[name])
    seen, calls = await account(alice, f"?pot_units={DOLLAR}")
    assert (seen["balance_units"], seen["pot_units"]) == (4 * DOLLAR, 5 * DOLLAR)
    assert any("locked until 2026-11-15" in words for words in seen["words"])
    assert "only after an exit" in calls["set_pot"]["refused"]
    assert "request_exit" not in calls
    assert calls["withdraw"]["refused"] == "nothing is free"

    await vault.local.jump_to(seen["exit_s"])
    seen, calls = await account(alice, f"?pot_units={DOLLAR}")
    assert seen["free_units"] == 4 * DOLLAR
    assert calls["set_pot"]["refused"] is None
    await send(world, "alice", calls["withdraw"])
    assert await vault.vault.token_balance(address) == 12 * DOLLAR


async def test_what_the_vault_would_refuse_is_said_before(usd_world):
    world, vault = usd_world, usd_world.vault
    alice = await world.join("alice")
    await link(alice, "alice")
    await vault.deposit(await vault.local.funded("alice"), 3 * DOLLAR, DOLLAR)
    _, calls = await account(
        alice, f"?deposit_units={DOLLAR}&pot_units=1&withdraw_units={3 * DOLLAR}"
    )
    assert "only after an exit" in calls["set_pot"]["refused"]
    assert calls["withdraw"]["refused"] == "only 2 usd are free"
    assert calls["deposit"]["refused"] == "your wallet has 0 usd"
    _, calls = await account(alice)
    assert {name: one["needs"] for name, one in calls.items()} == {
        "approve": "deposit_units", "deposit": "deposit_units", "set_pot": "pot_units",
        "request_exit": None, "withdraw": None,
    }  # fmt: skip
    assert all((one["calldata"] is None) == (one["needs"] is not None) for one in calls.values())
    for query in ("deposit_units=0", "pot_units=-1", "withdraw_units=1.5", "pot_units=1e3",
                  f"pot_units={10**15 + 1}", "amount=1"):  # fmt: skip
        refused = await alice("GET", f"/stablecoin/account?{query}")
        assert (refused.status, refused.slug) == (400, "bad-input"), query


async def test_what_an_address_paid_in_before_is_booked_when_it_is_linked(usd_world):
    world, vault = usd_world, usd_world.vault
    alice = await world.join("alice")
    await vault.deposit(await vault.local.funded("alice"), 10 * DOLLAR, 4 * DOLLAR)
    await book(world)
    assert (await alice("GET", "/balance")).body["usd"]["available_units"] == 0
    linked = await link(alice, "alice")
    assert (linked["available_units"], linked["pot_units"]) == (6 * DOLLAR, 4 * DOLLAR)


async def test_a_foreign_signature_a_used_text_and_anothers_address_link_nothing(usd_world):
    world = usd_world
    alice, mallory = await world.join("alice"), await world.join("mallory")
    text = await challenge(alice, "alice")
    assert "on the network eth-tester" in text
    foreign = await alice("POST", "/stablecoin/link", signed(text, "mallory"))
    assert (foreign.status, foreign.slug) == (403, "forbidden")
    stolen = await mallory("POST", "/stablecoin/link", signed(text, "alice"))
    assert (stolen.status, stolen.slug) == (400, "bad-input")
    assert (await alice("POST", "/stablecoin/link", signed(text, "alice"))).status == 200
    used = await alice("POST", "/stablecoin/link", signed(text, "alice"))
    assert (used.status, used.slug) == (409, "conflict")
    theirs = await challenge(mallory, "alice")
    taken = await mallory("POST", "/stablecoin/link", signed(theirs, "alice"))
    assert (taken.status, taken.slug) == (409, "conflict")
    assert (await account(mallory))[0]["address"] is None
    late = await challenge(mallory, "mallory")
    world.clock.advance(VALID_MAX_S)
    run_out = await mallory("POST", "/stablecoin/link", signed(late, "mallory"))
    assert (run_out.status, run_out.slug) == (400, "bad-input")
    assert (await account(mallory))[0]["address"] is None


async def test_what_the_token_refused_can_be_claimed_by_the_call_of_the_account(usd_world):
    """A payment of the vault meets a blocked address; later the block is lifted."""
    world, vault = usd_world, usd_world.vault
    blog, address = await world.join("blog"), local_key("blog").address
    await blog("PUT", "/payout-target", {"asset": "usd", "target": address})
    assert (await account(blog))[0]["claimable"] == []
    await _pay_while_blocked(vault, address)
    seen, calls = await account(blog)
    assert seen["claimable"] == [{"address": address, "units": 1_800_000}]
    assert seen["address"] is None
    block = set_blocked_calldata(address, False)
    await act(vault.local, vault.owner, vault.token, block)
    await send(world, "anybody", calls["claim"])
    assert await vault.vault.token_balance(address) == 1_800_000
    assert (await account(blog))[0]["claimable"] == []


async def _pay_while_blocked(vault, address: str) -> None:
    """Two dollars are charged; nine tenths of them are paid to an address that can't get them."""
    reader = await vault.local.funded("reader")
    await vault.deposit(reader, 2 * DOLLAR, 2 * DOLLAR)
    block = set_blocked_calldata(address, True)
    await act(vault.local, vault.owner, vault.token, block)
    words = [word(address, 1_800_000)]
    tree = Tree([leaf(vault.address, vault.local.chain_id, 1, 0, words)])
    for calldata in (
        open_month_calldata(),
        charge_calldata(1, [word(reader.address, 2 * DOLLAR)]),
        seal_calldata(1, tree.root, 1, bytes(32)),
        pay_batch_calldata(1, 0, words, tree.proof(0)),
    ):
        await vault.act(vault.operator, calldata)


async def test_a_vault_that_takes_no_deposits_says_so_and_a_boundless_pot_is_shown(usd_world):
    world, vault = usd_world, usd_world.vault
    alice, boundless = await world.join("alice"), 2**64 - 1
    await link(alice, "alice")
    await vault.deposit(await vault.local.funded("alice"), DOLLAR, boundless)
    await vault.mint(local_key("alice").address, DOLLAR)
    await book(world)
    seen, calls = await account(alice, f"?deposit_units={DOLLAR}")
    assert (seen["pot_units"], calls["deposit"]["refused"]) == (boundless, None)
    assert (await alice("GET", "/balance")).body["usd"]["pot_units"] == DOLLAR
    await vault.act(vault.guardian, set_paused_calldata(True))
    _, calls = await account(alice, f"?deposit_units={DOLLAR}")
    assert calls["deposit"]["refused"] == "the vault is paused"
    assert calls["request_exit"]["refused"] is None


async def test_a_chain_that_is_away_is_not_now_and_lightning_goes_on(usd_world, monkeypatch):
    alice = await usd_world.join("alice")
    await link(alice, "alice")

    async def away(*_args, **_options):
        raise RailUnavailable("the chain is away")

    for name in ("call", "estimate_gas", "latest"):
        monkeypatch.setattr(usd_world.node.stablecoin.money.chain, name, away)
    target = {"asset": "usd", "target": local_key("blog").address}
    for method, path, body in [
        ("GET", "/stablecoin/account", None), ("PUT", "/payout-target", target),
    ]:  # fmt: skip
        answer = await alice(method, path, body)
        assert (answer.status, answer.slug) == (503, "rail-unavailable")
    assert (await alice("GET", "/payout-target?asset=usd")).body["target"] is None
    for path in ("/balance", "/month", "/payouts", "/payout-targets"):
        assert (await alice("GET", path)).status == 200, path
    assert (await alice("POST", "/deposits", {"amount_sat": 1000})).status == 201


async def test_the_chain_is_asked_for_a_member_a_tenth_as_often(tmp_path, clock, vault):
    web = WebSettings(port=0, requests_per_minute=20, joins_per_hour=3)
    async with open_world(tmp_path, clock, web=web, vault=vault) as world:
        alice = await world.join("alice")
        asked = {"label": "phone", "scopes": ["read"]}
        phone = Client(
            world.http, world.url, (await alice("POST", "/tokens", asked)).body["secret"]
        )
        for client in (alice, phone):
            assert (await client("GET", "/stablecoin/account")).status == 200
        full = await phone("GET", "/stablecoin/account")
        assert (full.status, full.slug) == (429, "too-many-requests")
        assert (await phone("GET", "/balance")).status == 200
        clock.advance(60)
        assert (await phone("GET", "/stablecoin/account")).status == 200
