"""What stopped the stablecoin for good, or paid twice, before it was mended: a test for each."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import partial

import pytest

from node.devnet.evm import jump, local_key
from node.devnet.evm_vault import DOLLAR, act
from node.errors import Conflict, NotFound
from node.flows.audits.audit import audit
from node.flows.audits.lines import State
from node.flows.audits.vault import vault_lines
from node.flows.vault import chain_money
from node.flows.vault.chain_key import account_key
from node.flows.vault.stablecoin import RAIL
from node.flows.vault.transfer import PREFIX
from node.flows.vault.transferred import mark_transferred
from node.ledger import accounts
from node.money import Asset, sats
from node.settlement.payout import PayoutState
from node.store import attempts, checks, leases, payouts, transactions, vault_months
from node.store.closes import Stage
from node.wallet.stablecoin.calldata import (
    abandon_calldata,
    reclaim_calldata,
    transfer_calldata,
    veto_calldata,
)
from tests.conftest import MONTH
from tests.flows.vault.restored import copy_of, restored
from tests.flows.vault.vault_town import Town, open_town
from tests.killed import killed, points_of

KILLED = points_of("vault.transferred")
NEXT = MONTH.plus(1)
WAITED = 1_800_000
"""What `light`, who has no address when the month is paid, gets later."""


async def _begin_transfer(town: Town) -> str:
    """`light` says where to be paid, and the transfer is signed."""
    address = await town.target("light")
    for _ in range(6):
        await town.payer().round()
        async with town.world.store.read() as tx:
            if await transactions.unfinished(tx, town.coin.signer.address):
                return address
    raise AssertionError("nothing was signed")


async def test_a_transfer_is_watched_while_the_next_month_is_charged(town):
    """It was not: the next month waited for it, and it for the next month, for ever."""
    await town.end()
    await town.play()
    await town.world.flattr("rita", "both's")
    address = await _begin_transfer(town)
    await town.end(NEXT)
    await town.play(NEXT)
    assert await town.has(address) == WAITED
    async with town.world.store.read() as tx:
        assert (await vault_months.get(tx, NEXT)).paid_us is not None
        assert await checks.breaches(tx, deep=True) == []


async def test_a_month_that_can_not_be_charged_any_more_charges_nobody_and_stops_nothing(town):
    """The node was away for the vault's twelve days. The readers keep their money."""
    store, clock = town.world.store, town.world.clock
    await town.end()
    while not await town.vault.vault.month():
        await town.step()
    async with store.write() as tx:
        await leases.stop(tx, RAIL, "away", clock.now_us())
    await jump(town.local, 13 * 86_400)
    clock.advance(13 * 86_400)
    async with store.write() as tx:
        await leases.resume(tx, RAIL)
    await town.play()
    async with store.read() as tx:
        month = await vault_months.get(tx, MONTH)
    assert (month.gross, month.paid_us is not None) == (0, True)
    assert await town.has(town.vault.address) == 23 * DOLLAR
    await town.world.flattr("rita", "both's")
    await town.end(NEXT)
    await town.play(NEXT)
    async with store.read() as tx:
        month = await vault_months.get(tx, NEXT)
        assert await checks.breaches(tx, deep=True) == []
    assert (month.number, month.gross) == (2, 10 * DOLLAR)


async def _begin(town: Town) -> None:
    """An attempt is stored, and nothing signed for it yet."""
    assert (await town.payer().round()).sent == 1
    async with town.world.store.read() as tx:
        assert await transactions.unfinished(tx, town.coin.signer.address) == []


@pytest.mark.parametrize("begun", [False, True], ids=["due", "begun"])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_restored_database_makes_no_transfer_until_a_person_has_looked(
    town, tmp_path, begun
):
    """It made it again: a transfer has nothing but its nonce to protect it."""
    await town.end()
    await town.play()
    await town.target("light")
    if begun:
        await _begin(town)
    copy = copy_of(town, tmp_path)
    await town.play()
    address = local_key("light").address
    assert await town.has(address) == WAITED
    async with restored(town, copy) as again:
        for _ in range(12):
            report = await again.payer().round()
            await town.local.mine()
        assert "account-key" in report.trouble
        assert await town.has(address) == WAITED
        money, signer = again.coin.money, again.coin.signer
        await account_key(money.store, money.chain, money.chain_id, signer.address)
        for _ in range(1 if begun else 2):
            await again.payer().round()
        async with again.world.store.read() as tx:
            assert await transactions.unfinished(tx, signer.address), "it may go on now"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_restored_database_asks_a_person_also_when_the_address_has_too_little(
    town, tmp_path
):
    """It only said what is due and what is there, and nobody was asked about the lost transfer."""
    await town.end()
    await town.play()
    money, signer = town.coin.money, town.coin.signer
    rest = await town.has(signer.address) - WAITED
    away = transfer_calldata(local_key("x").address, rest)
    await act(town.local, town.vault.operator, town.coin.token, away)
    await account_key(money.store, money.chain, money.chain_id, signer.address)
    await town.target("light")
    copy = copy_of(town, tmp_path)
    await town.play()
    assert await town.has(signer.address) == 0
    async with restored(town, copy) as again:
        report = await again.payer().round()
        assert "account-key" in report.trouble
        async with again.world.store.read() as tx:
            assert await attempts.with_prefix(tx, RAIL, PREFIX) == []


@pytest.mark.parametrize("begun", [False, True], ids=["due", "begun"])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_person_tells_a_restored_database_what_was_transferred(town, tmp_path, begun):
    """There was no way to say so: after account-key it was transferred a second time."""
    await town.end()
    await town.play()
    address = await town.target("light")
    if begun:
        await _begin(town)
    copy = copy_of(town, tmp_path)
    await town.play()
    async with town.world.store.read() as tx:
        (made,) = await attempts.with_prefix(tx, RAIL, PREFIX)
        tx_hash = await attempts.proof_of(tx, made.id)
    async with restored(town, copy) as again:
        if begun:
            await again.payer().round()
        (payout_id,) = made.payouts
        with pytest.raises(NotFound):
            await mark_transferred(again.coin, payout_id, "0x" + "ab" * 32)
        batch = await town.coin.months._logs(1)
        with pytest.raises(Conflict):
            await mark_transferred(again.coin, payout_id, batch[-1][0].tx_hash)
        mark = partial(mark_transferred, again.coin, payout_id, tx_hash)
        await killed(mark, f"vault.transferred.{'after' if begun else 'before'}_commit")
        assert begun or (await mark()).units == WAITED
        with pytest.raises(Conflict):
            await mark_transferred(again.coin, payout_id, tx_hash)
        await _goes_on_and_is_clean(again)
        async with again.world.store.read() as tx:
            assert (await payouts.get(tx, payout_id)).state is PayoutState.PAID
    assert await town.has(address) == WAITED


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_person_tells_of_a_transfer_whose_dearer_signature_was_lost(town, tmp_path):
    """Its nonce was used by a transaction that the copy does not know, and it waited for ever."""
    await town.end()
    await town.play()
    address = await _begin_transfer(town)
    copy = copy_of(town, tmp_path)
    with closing(sqlite3.connect(copy)) as old:  # it knows a cheaper signature than was mined
        cheap = "UPDATE signed_transaction SET tx_hash = ? WHERE purpose LIKE 'transfer:%'"
        assert old.execute(cheap, ("0x" + "ab" * 32,)).rowcount == 1
        old.commit()
    await town.play()
    async with town.world.store.read() as tx:
        (made,) = await attempts.with_prefix(tx, RAIL, PREFIX)
        tx_hash = await attempts.proof_of(tx, made.id)
    async with restored(town, copy) as again:
        async with again.world.store.read() as tx:
            assert not await transactions.is_known(tx, tx_hash)
        assert "account-key" in (await again.payer().round()).trouble
        assert (await mark_transferred(again.coin, made.payouts[0], tx_hash)).units == WAITED
        await _goes_on_and_is_clean(again)
    assert await town.has(address) == WAITED


async def _goes_on_and_is_clean(town: Town) -> None:
    money, signer = town.coin.money, town.coin.signer
    await account_key(money.store, money.chain, money.chain_id, signer.address)
    await town.play()
    async with town.world.store.read() as tx:
        assert await checks.breaches(tx, deep=True) == []
    lines = {line.id: line for line in await vault_lines(town.world.store, town.coin)}
    assert {lines[one].state for one in ("V1", "V2", "V3")} == {State.OK}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_restored_database_takes_up_the_month_that_the_vault_has_paid(town, tmp_path):
    """It would have charged the readers a second time, a month later."""
    await town.end()
    copy = copy_of(town, tmp_path)
    await town.play()
    before = await town.has(town.vault.address)
    async with restored(town, copy) as again:
        await again.play()
        assert (await again.close()).stage is Stage.CHECKED
        async with again.world.store.read() as tx:
            month = await vault_months.get(tx, MONTH)
            assert await checks.breaches(tx, deep=True) == []
        assert (month.number, month.gross) == (1, 13 * DOLLAR)
        found = await again.payouts()
        assert found[again.world.members["both"]].state is PayoutState.PAID
        assert await again.units(accounts.expense(Asset.ETH, "gas")) == 0, "it has sent nothing"
    assert await town.vault.vault.month() == 1
    assert await town.has(town.vault.address) == before


async def test_an_abandoned_vault_is_a_breach_in_the_audit(store, clock):
    """Its members have the month's money again, and the books still owe it to the creators."""
    async with open_town(store, clock, delay_s=3600) as town:
        world = town.world
        await world.join("rita", "coin")
        await world.thing("coin's", owner="coin")
        await world.fund("coin", sats(2000), to_pot=True, at_s=None)
        await town.fill("rita", 10 * DOLLAR, 10 * DOLLAR)
        await town.target("coin")
        await world.flattr("rita", "coin's")
        await town.end()
        while not (await town.vault.vault.month_state(1)).payable_at_s:
            await town.step()
            await town.local.mine()
        await town.vault.act(town.vault.guardian, veto_calldata(1))
        await jump(town.local, 61 * 86_400)
        await town.vault.act(town.vault.owner, abandon_calldata())
        await town.vault.act(town.vault.owner, reclaim_calldata(local_key("rita").address))
        await chain_money.read(town.coin.money)
        report = await audit(world.store, world.clock, None, town.coin)
        assert report.result == "breach"
        assert "V2" in {line.id for line in report.lines if line.state is State.BREACH}
