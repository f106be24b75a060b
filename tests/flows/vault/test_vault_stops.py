"""A month with readers who left is stopped anywhere, or told lies, and nobody loses by it."""

from __future__ import annotations

import pytest

from node import failpoints
from node.devnet.evm import local_key
from node.devnet.evm_vault import DOLLAR, act, set_blocked_calldata
from node.errors import CorruptBooks
from node.flows.vault import chain_money
from node.flows.vault import short as vault_short
from node.flows.vault.pay import CLAIMABLE
from node.ids import refund_id
from node.ledger import accounts, bookings
from node.settlement.payout import PayoutState
from node.store import closes, journal, payouts, suspense, vault_months
from node.store.closes import Stage
from node.wallet.stablecoin.calldata import set_pot_calldata
from tests.conftest import MONTH
from tests.flows.vault.leavers import USD, arrived, end_and_ask, judge, leave, open_leavers
from tests.flows.vault.leavers import act as act_of
from tests.flows.vault.restored import copy_of, restored
from tests.killed import points_of


@pytest.fixture
async def town(store, clock):
    async with open_leavers(store, clock) as opened:
        yield opened


KILLED = points_of(
    "close.book", "close.check", "close.open", "close.prove", "vault.collect", "vault.limit",
    "vault.plan", "vault.settle",
)  # fmt: skip


@pytest.mark.parametrize("point", sorted(KILLED))
async def test_a_kill_anywhere_charges_pays_and_refunds_once(town, point):
    await end_and_ask(town)
    await leave(town, "rita", 7_000_037)
    await chain_money.read(town.coin.money)
    failpoints.arm({point: "raise"})
    try:
        await town.play()
    finally:
        failpoints.arm({})
    assert town.lives == 1, f"{point} was not passed"
    gross, figures = await judge(town)
    assert (gross, figures) == (10_000_037, (10_000_037, 10_000_020, 1_000_002, 17))
    assert await arrived(town) == {
        "rita": 16, "ron": 0, "ann": 4_800_006, "ben": 2_100_006, "cat": 2_100_006,
    }  # fmt: skip
    assert await town.has(town.coin.treasury) == 1_000_003
    async with town.world.store.read() as tx:
        assert await suspense.unexplained(tx, town.coin.money.chain_id, USD) == []


async def test_a_refund_that_the_token_refuses_can_be_claimed_and_nobody_waits(town):
    await end_and_ask(town)
    await leave(town, "rita", 7_000_037)
    rita = local_key("rita").address
    await act(town.local, town.vault.owner, town.vault.token, set_blocked_calldata(rita, True))
    await town.play()
    assert await town.vault.vault.claimable(rita) == 16
    async with town.world.store.read() as tx:
        back = await payouts.get(tx, refund_id(MONTH, town.world.members["rita"], USD))
    assert (back.state, back.reason) == (PayoutState.PAID, CLAIMABLE)
    assert (await arrived(town))["ann"] == 4_800_006


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("lowers", [False, True], ids=["leaves", "lowers the pot"])
async def test_a_restored_node_splits_what_stood_at_the_months_end_and_takes_up_the_charge(
    town, tmp_path, lowers
):
    """It had read what came after the month before it froze it, and split less than was asked.

    "The vault has charged 3000007 in its month 1", for ever, and nobody of that month was paid.
    """
    copy = copy_of(town, tmp_path)
    await end_and_ask(town)
    if lowers:
        await act_of(town, "rita", set_pot_calldata(7))
    else:
        await leave(town, "rita", 7)
    await town.play()
    before = await arrived(town)
    async with restored(town, copy) as again:
        await chain_money.read(again.coin.money)
        await again.play()
        gross, figures = await judge(again)
    assert (gross, figures) == (3_000_007, (3_000_007, 3_000_000, 300_000, 7))
    assert await arrived(town) == before


@pytest.mark.parametrize("gross", [12_999_989, 12_999_991, 0])
async def test_a_charge_that_no_split_comes_to_stops_the_month_before_it_is_booked(town, gross):
    await end_and_ask(town)
    async with town.world.store.write() as tx:
        await vault_months.collect(tx, MONTH, gross)
    with pytest.raises(CorruptBooks, match="the vault charged"):
        await town.close()
    async with town.world.store.read() as tx:
        close = await closes.get(tx, MONTH, USD)
    assert close.stage is Stage.SPLIT
    assert await town.units(accounts.pot(USD, town.world.members["rita"], MONTH)) == 10 * DOLLAR


async def test_what_is_booked_is_not_corrected_any_more(town):
    await end_and_ask(town)
    await leave(town, "rita", 7_000_037)
    await town.play()
    with pytest.raises(CorruptBooks, match="can't be corrected any more"):
        async with town.world.store.write() as tx:
            await vault_short.limit(tx, await closes.get(tx, MONTH, USD))


async def test_a_withdrawal_that_is_explained_in_parts_is_explained_once(town):
    await end_and_ask(town)
    await leave(town, "rita", 0)
    await chain_money.read(town.coin.money)
    rita, chain_id = town.world.members["rita"], town.coin.money.chain_id
    async with town.world.store.write() as tx:
        (gone,) = await suspense.unexplained(tx, chain_id, USD)
        assert (gone.member, gone.units) == (rita, 10 * DOLLAR)
        pot = accounts.pot(USD, rita, MONTH)
        for month, units in ((MONTH, 4 * DOLLAR), (MONTH.plus(1), 5 * DOLLAR)):
            entry = bookings.explained(USD, gone.ref, month, [(pot, units)])
            assert await journal.append(tx, entry, 0)
            assert not await journal.append(tx, entry, 0)
        (left,) = await suspense.unexplained(tx, chain_id, USD)
        assert left.units == DOLLAR
