"""Reading a chain, on each kind of local one, through one RPC that is believed."""

from __future__ import annotations

import pytest

from node.devnet.evm import GAS_MONEY_WEI, Anvil, LocalChain, jump
from node.devnet.evm_vault import DOLLAR, LocalVault, deploy_vault
from node.errors import ConfigError, RailUnavailable, Reverted
from node.wallet.stablecoin.calldata import (
    charge_calldata,
    open_month_calldata,
    set_pot_calldata,
    withdraw_calldata,
)
from node.wallet.stablecoin.chain import LATEST, open_chain
from node.wallet.stablecoin.signer import Order
from node.wallet.stablecoin.words import ZERO_ADDRESS, word
from tests.wallet.stablecoin.conftest import STARTS_S

NOBODY = "0x" + 64 * "7"


async def test_blocks_are_linked_and_have_their_times(local: LocalChain) -> None:
    first = await local.chain.latest()
    assert first.time_s == STARTS_S
    await local.mine(3)
    last = await local.chain.latest()
    assert last.number == first.number + 3
    below = await local.chain.block(last.number - 1)
    assert below is not None
    assert below.hash == last.parent
    assert below.time_s <= last.time_s
    assert last.base_fee_wei > 0
    assert await local.chain.block(last.number + 1) is None


async def test_time_can_be_moved_to_the_second(local: LocalChain) -> None:
    before = await local.chain.latest()
    await jump(local, 86_400)
    assert (await local.chain.latest()).time_s == before.time_s + 86_400
    await local.jump_to(before.time_s + 100_000)
    assert (await local.chain.latest()).time_s == before.time_s + 100_000


async def test_a_snapshot_brings_everything_back(local: LocalChain) -> None:
    await local.funded("alice")
    snapshot, before = await local.snapshot(), await local.chain.latest()
    bob = await local.funded("bob")
    await local.mine(2)
    await local.restore(snapshot)
    assert await local.chain.latest() == before
    assert await local.chain.balance_wei(bob.address) == 0
    assert await local.chain.balance_wei((await local.funded("bob")).address) == GAS_MONEY_WEI


async def test_a_receipt_says_what_a_transaction_did_and_cost(vault: LocalVault) -> None:
    chain, alice = vault.local.chain, await vault.local.funded("alice")
    before = await chain.balance_wei(alice.address)
    receipt = await vault.act(alice, set_pot_calldata(DOLLAR))
    assert receipt.ok
    assert receipt.fee_wei == before - await chain.balance_wei(alice.address) > 0
    assert await chain.receipt(receipt.tx_hash) == receipt
    block = await chain.block(receipt.block_number)
    assert block is not None
    assert block.hash == receipt.block_hash
    assert [log.address for log in receipt.logs] == [vault.address]
    assert await chain.receipt(NOBODY) is None


async def test_a_transaction_that_fails_in_its_block_has_a_receipt_that_says_so(
    vault: LocalVault,
) -> None:
    chain, alice = vault.local.chain, await vault.local.funded("alice")
    calldata = open_month_calldata()
    order = Order(vault.local.chain_id, 0, vault.address, calldata, 100_000, 10**9, 10**11)
    signed = alice.sign(order)
    await chain.broadcast(signed.raw)
    await vault.local.mine()
    receipt = await chain.receipt(signed.tx_hash)
    assert receipt is not None
    assert not receipt.ok
    assert receipt.logs == ()


async def test_logs_are_of_one_contract_in_order(vault: LocalVault) -> None:
    chain = vault.local.chain
    receipts = [
        await vault.deposit(await vault.local.funded(name), DOLLAR, 5) for name in ("alice", "bob")
    ]
    last = (await chain.latest()).number
    logs = await chain.logs(vault.address, 0, last)
    assert logs == sorted(logs, key=lambda log: (log.block_number, log.index))
    own = [log for receipt in receipts for log in receipt.logs if log.address == vault.address]
    assert logs[-4:] == own
    assert await chain.logs(vault.address, receipts[1].block_number, last) == own[2:]
    assert await chain.logs(NOBODY[:42], 0, last) == []


async def test_blocks_that_are_not_there_have_no_logs_to_believe(vault: LocalVault) -> None:
    last = (await vault.local.chain.latest()).number
    with pytest.raises(RailUnavailable, match="no block"):
        await vault.local.chain.logs(vault.address, 0, last + 1)


async def test_long_ranges_of_logs_are_asked_in_parts(
    vault: LocalVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = vault.local.chain
    await vault.deposit(await vault.local.funded("alice"), DOLLAR, 5)
    last = (await chain.latest()).number
    whole = await chain.logs(vault.address, 0, last)
    for length in (1, 2, 3, last, last + 1):
        monkeypatch.setattr("node.wallet.stablecoin.chain.LOGS_BLOCKS_MAX", length)
        assert await chain.logs(vault.address, 0, last) == whole


async def test_code_and_coin_of_an_address(vault: LocalVault) -> None:
    chain = vault.local.chain
    assert await chain.code(vault.address)
    assert await chain.code(vault.owner.address) == b""
    assert await chain.balance_wei(NOBODY[:42]) == 0
    assert await chain.tip_wei() > 0


REFUSALS = [
    ("alice", open_month_calldata(), "operator"),
    ("alice", withdraw_calldata(1, ZERO_ADDRESS), "to"),
    ("alice", withdraw_calldata(3 * DOLLAR, NOBODY[:42]), "locked"),
    ("alice", set_pot_calldata(1), "exit first"),
    ("operator", charge_calldata(1, [word(NOBODY[:42], 1)]), "month"),
    ("operator", b"no such function", ""),
]


async def test_a_contracts_refusal_comes_with_its_own_word(vault: LocalVault) -> None:
    chain = vault.local.chain
    await vault.deposit(await vault.local.funded("alice"), 4 * DOLLAR, 2 * DOLLAR)
    for name, calldata, reason in REFUSALS:
        sender = (await vault.local.funded(name)).address
        with pytest.raises(Reverted) as refused:
            await chain.estimate_gas(sender, vault.address, calldata)
        assert refused.value.reason == reason
    with pytest.raises(Reverted) as refused:
        await chain.call(vault.address, open_month_calldata())
    assert refused.value.reason == "operator"


async def test_an_estimate_is_enough(vault: LocalVault) -> None:
    alice = await vault.local.funded("alice")
    needed = await vault.local.chain.estimate_gas(alice.address, vault.address, set_pot_calldata(5))
    assert 21_000 < (await vault.act(alice, set_pot_calldata(5))).gas_used <= needed


async def test_the_testers_newest_block_counts_as_final(vault: LocalVault) -> None:
    await vault.local.finalize()
    alice = await vault.local.funded("alice")
    await vault.act(alice, set_pot_calldata(5))
    await vault.local.finalize()
    chain = vault.local.chain
    assert await chain.nonce(alice.address, finalized=True) == 1
    assert (await vault.vault.account(alice.address, finalized=True)).pot_units == 5


@pytest.mark.anvil
async def test_what_is_not_final_does_not_count_as_final(anvil: Anvil) -> None:
    vault = await deploy_vault(anvil)
    await anvil.finalize()
    alice = await anvil.funded("alice")
    await vault.act(alice, set_pot_calldata(5))
    assert await anvil.chain.nonce(alice.address) == 1
    assert await anvil.chain.nonce(alice.address, finalized=True) == 0
    assert (await vault.vault.account(alice.address)).pot_units == 5
    assert (await vault.vault.account(alice.address, finalized=True)).pot_units == 0
    assert (await anvil.chain.finalized()).number == (await anvil.chain.latest()).number - 4
    await anvil.finalize()
    assert (await vault.vault.account(alice.address, finalized=True)).pot_units == 5


@pytest.mark.anvil
async def test_a_vault_that_is_not_final_yet_has_no_final_state(anvil: Anvil) -> None:
    vault = await deploy_vault(anvil)
    with pytest.raises(RailUnavailable, match="is it there already"):
        await vault.vault.month(finalized=True)


@pytest.mark.anvil
async def test_latest_counts_as_final_only_where_that_is_asked_for(anvil: Anvil) -> None:
    vault = await deploy_vault(anvil)
    async with open_chain([anvil.url], alone=True, final=LATEST) as chain:
        assert await chain.finalized() == await chain.latest()
        assert await chain.nonce(vault.owner.address, finalized=True) == 2


@pytest.mark.anvil
async def test_a_reorg_takes_a_transaction_back_and_its_bytes_can_be_sent_again(
    anvil: Anvil,
) -> None:
    vault = await deploy_vault(anvil)
    alice = await anvil.funded("alice")
    order = Order(anvil.chain_id, 0, vault.address, set_pot_calldata(5), 100_000, 10**9, 10**11)
    signed = alice.sign(order)
    await anvil.set_instant(False)
    assert "taken" in await anvil.chain.broadcast(signed.raw)
    await anvil.mine()
    receipt = await anvil.chain.receipt(signed.tx_hash)
    assert receipt is not None
    await anvil.reorg(1)
    await anvil.drop(signed.tx_hash)
    assert await anvil.chain.receipt(signed.tx_hash) is None
    replaced = await anvil.chain.block(receipt.block_number)
    assert replaced is not None
    assert replaced.hash != receipt.block_hash
    assert await anvil.chain.nonce(alice.address) == 0
    await anvil.chain.broadcast(signed.raw)
    assert await anvil.chain.nonce(alice.address) == 1
    assert await anvil.chain.receipt(signed.tx_hash) is None
    await anvil.mine()
    again = await anvil.chain.receipt(signed.tx_hash)
    assert again is not None
    assert again.ok


@pytest.mark.anvil
async def test_a_dropped_transaction_frees_its_nonce(anvil: Anvil) -> None:
    await anvil.set_instant(False)
    alice = await anvil.funded("alice")
    signed = alice.sign(Order(anvil.chain_id, 0, alice.address, b"", 21_000, 10**9, 10**11))
    await anvil.chain.broadcast(signed.raw)
    assert await anvil.chain.nonce(alice.address) == 1
    await anvil.drop(signed.tx_hash)
    assert await anvil.chain.nonce(alice.address) == 0
    await anvil.chain.broadcast(signed.raw)
    await anvil.drop_all()
    assert await anvil.chain.nonce(alice.address) == 0


async def test_a_broadcast_answers_in_words_and_never_raises(local: LocalChain) -> None:
    alice = await local.funded("alice")
    order = Order(local.chain_id, 0, alice.address, b"", 21_000, 10**9, 10**11)
    raw = alice.sign(order).raw
    assert (await local.chain.broadcast(raw)).endswith(": taken")
    await local.mine()
    for bad in (raw, b"", b"\x02", raw[:-1], alice.sign(order).raw + b"\0"):
        answer = await local.chain.broadcast(bad)
        assert "taken" not in answer
        assert ": " in answer


@pytest.mark.parametrize(
    "urls",
    [
        [],
        ["https://one.example/key"],
        ["https://one.example/a", "https://one.example/b"],
        ["https://alice@one.example/a", "https://bob@ONE.example/b"],
        ["ftp://one.example", "https://two.example"],
        ["one.example", "https://two.example"],
    ],
)
async def test_two_rpcs_of_two_providers_are_demanded(urls: list[str]) -> None:
    with pytest.raises(ConfigError):
        async with open_chain(urls):
            pytest.fail("it opened")
