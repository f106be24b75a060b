"""The pots of the vault and those of the books are one number: what the contract says wins."""

from __future__ import annotations

import pytest

from node.errors import RailUnavailable
from node.flows.vault import chain_money
from node.flows.vault.books import USD
from node.ledger import accounts
from node.money import Asset
from tests.conftest import MONTH
from tests.flows.vault.bank import open_bank
from tests.wallet.stablecoin.fake_chain import address_of

ANN = address_of("ann")
BOB = address_of("bob")
NEXT = MONTH.plus(1)


@pytest.fixture
async def bank(store, clock):
    async with open_bank(store, clock) as opened:
        yield opened


async def test_a_pot_that_is_larger_than_the_balance_holds_the_balance(bank):
    bank.chain.deposit(ANN, 3, pot=2**64 - 1)
    bank.chain.mine()
    await chain_money.read(bank.money)
    assert await bank.has("ann") == (0, 3)
    bank.chain.deposit(ANN, 4)
    bank.chain.mine()
    await chain_money.read(bank.money)
    assert await bank.has("ann") == (0, 7)
    bank.chain.set_pot(ANN, 5)
    bank.chain.mine()
    await chain_money.read(bank.money)
    assert await bank.has("ann") == (2, 5)


async def test_a_withdrawal_takes_what_is_available_and_then_the_pot(bank):
    bank.chain.deposit(ANN, 10, pot=4)
    bank.chain.mine()
    bank.chain.withdraw(ANN, 5)
    bank.chain.mine()
    await chain_money.read(bank.money)
    assert await bank.has("ann") == (1, 4)
    bank.chain.withdraw(ANN, 3)
    bank.chain.mine()
    await chain_money.read(bank.money)
    assert await bank.has("ann") == (0, 2)


async def test_a_reclaim_comes_back_into_the_account(bank):
    bank.chain.reclaim(ANN, 5)
    bank.chain.reclaim(ANN, 0)
    bank.chain.mine()
    await chain_money.read(bank.money)
    assert await bank.has("ann") == (5, 0)


async def test_what_is_in_a_block_from_the_months_end_on_is_the_next_months(bank):
    bank.chain.deposit(ANN, 10, pot=4)
    bank.chain.mine(MONTH.ends_s - 2)
    bank.chain.deposit(ANN, 1, pot=9)
    bank.chain.mine(MONTH.ends_s)
    await chain_money.read(bank.money)
    assert await bank.has("ann", MONTH) == (0, 4)
    assert await bank.has("ann", NEXT) == (0, 7)


async def test_a_month_is_read_when_a_block_after_its_end_is_final(bank):
    bank.chain.deposit(ANN, 10, pot=4)
    bank.chain.mine(MONTH.ends_s - 2)
    assert not await chain_money.read_until(bank.money, MONTH.ends_s)
    assert await bank.has("ann") == (6, 4)
    bank.chain.mine(MONTH.ends_s, final=False)
    assert not await chain_money.read_until(bank.money, MONTH.ends_s)
    bank.chain.final = bank.chain.blocks[-1].number
    assert await chain_money.read_until(bank.money, MONTH.ends_s)
    assert await bank.has("ann", MONTH) == (2, 4)
    assert await bank.has("ann", NEXT) == (2, 4)


async def test_a_pot_stands_in_the_next_month_without_being_set_again(bank):
    bank.chain.deposit(ANN, 10, pot=4)
    bank.chain.mine()
    await chain_money.read(bank.money)
    bank.chain.mine(NEXT.starts_s + 60)
    await chain_money.read(bank.money)
    assert await bank.has("ann", MONTH) == (2, 4)
    assert await bank.has("ann", NEXT) == (2, 4)


async def test_a_withdrawal_after_the_cutoff_spares_the_month_that_waits_for_its_close(bank):
    bank.chain.deposit(ANN, 10, pot=4)
    bank.chain.mine(MONTH.ends_s - 2)
    bank.chain.withdraw(ANN, 5)
    bank.chain.mine(MONTH.ends_s)
    await chain_money.read(bank.money)
    assert await bank.has("ann", MONTH) == (0, 4)
    assert await bank.has("ann", NEXT) == (0, 1)
    bank.chain.withdraw(ANN, 3)
    bank.chain.mine()
    await chain_money.read(bank.money)
    assert await bank.has("ann", MONTH) == (0, 4)
    assert await bank.has("ann", NEXT) == (0, 0)
    assert await bank.units(accounts.suspense(USD)) == 2
    assert await chain_money.differences(bank.money, {}) == []


@pytest.mark.parametrize("rolled", [0, 5])
@pytest.mark.parametrize("later", [1, 9])
async def test_a_month_keeps_the_pot_of_its_end_whenever_it_is_closed(bank, later, rolled):
    """A pot that was set after its end lowered it, or left too much, if that was read before."""
    bank.chain.deposit(ANN, 20, pot=4)
    bank.chain.mine(MONTH.ends_s - 2)
    bank.chain.set_pot(ANN, later)
    bank.chain.mine(MONTH.ends_s)
    await chain_money.read(bank.money)
    if rolled:  # as the close of the month before does it
        await bank.roll("ann", rolled)
    assert await chain_money.read_until(bank.money, MONTH.ends_s)
    assert (await bank.has("ann", MONTH))[1] == 4


async def test_a_month_that_is_closing_is_left_alone(bank):
    bank.chain.deposit(ANN, 10, pot=4)
    bank.chain.mine()
    await chain_money.read(bank.money)
    await bank.freeze(MONTH)
    bank.chain.set_pot(ANN, 9)
    bank.chain.mine()
    bank.chain.withdraw(ANN, 8)
    bank.chain.mine()
    await chain_money.read(bank.money)
    assert await bank.has("ann", MONTH) == (0, 4)
    assert await bank.units(accounts.suspense(USD)) == 2


async def test_a_month_that_is_closed_in_sats_takes_the_vaults_money_until_it_is_closed_too(bank):
    await bank.freeze(MONTH, Asset.SAT)
    bank.chain.deposit(ANN, 10, pot=4)
    bank.chain.mine(MONTH.ends_s - 2)
    bank.chain.mine(MONTH.ends_s)
    assert await chain_money.read_until(bank.money, MONTH.ends_s)
    assert await bank.has("ann", MONTH) == (2, 4)


async def test_a_charge_is_not_booked_again_when_the_vault_makes_it(bank):
    bank.chain.deposit(ANN, 10, pot=4)
    bank.chain.mine()
    await chain_money.read(bank.money)
    bank.chain.charge(ANN, 4)
    bank.chain.mine()
    await chain_money.read(bank.money)
    assert await bank.has("ann") == (6, 4)
    (found,) = await chain_money.differences(bank.money, {})
    assert (found.balance_units, found.books_units) == (6, 10)


async def test_the_vault_and_the_books_say_the_same_of_each_account(bank):
    await bank.join("bob")
    bank.chain.deposit(ANN, 10, pot=4)
    bank.chain.deposit(BOB, 3, pot=9)
    bank.chain.mine()
    await chain_money.read(bank.money)
    assert await chain_money.differences(bank.money, {}) == []
    uncharged = {bank.members["ann"]: 2}
    (found,) = await chain_money.differences(bank.money, uncharged)
    assert (found.member, found.balance_units, found.books_units) == (bank.members["ann"], 10, 12)
    bank.chain.deposit(ANN, 1)
    bank.chain.mine()
    with pytest.raises(RailUnavailable, match="still being read"):
        await chain_money.differences(bank.money, {})
