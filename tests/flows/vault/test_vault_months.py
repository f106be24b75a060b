"""A month of the stablecoin on the real contract: vault and books say one number."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct

from node.devnet.evm import local_key, open_tester
from node.devnet.evm_vault import DOLLAR, act, deploy_vault
from node.flows.vault import chain_money
from node.flows.vault.account import account_of
from node.flows.vault.books import USD
from node.flows.vault.events import ChainMoney
from node.flows.vault.link import Linking, challenge, link
from node.ledger import accounts
from node.money import Amount
from node.wallet.stablecoin.calldata import (
    attribute_calldata,
    charge_calldata,
    open_month_calldata,
    request_exit_calldata,
    set_pot_calldata,
    transfer_calldata,
    withdraw_calldata,
)
from node.wallet.stablecoin.words import word
from tests.conftest import MONTH
from tests.world import World, open_world

NEXT = MONTH.plus(1)


class Town:
    """The world, with a vault on a chain in this process."""

    def __init__(self, world: World, vault, first_block: int) -> None:
        self.world, self.vault = world, vault
        self.money = ChainMoney(
            world.store, world.clock, vault.local.chain, vault.vault, vault.local.chain_id,
            first_block,
        )  # fmt: skip

    async def link(self, name: str) -> None:
        signer, linking = local_key(name), Linking(self.money, "https://node.test", "eth-tester")
        text = await challenge(linking, self.world.members[name], signer.address)
        signed = Account.from_key(signer._account.key).sign_message(encode_defunct(text=text))
        await link(linking, self.world.members[name], text, "0x" + bytes(signed.signature).hex())

    async def has(self, name: str, month=MONTH) -> tuple[int, int]:
        member = self.world.members[name]
        return (
            await self.world.balance(accounts.available(USD, member)),
            await self.world.balance(accounts.pot(USD, member, month)),
        )


@asynccontextmanager
async def open_town(store, clock):
    async with (
        open_world(store, clock) as world,
        open_tester(starts_s=MONTH.starts_s + 3600) as local,
    ):
        nothing = Amount(0, USD)
        world.change_rules(asset=USD, dues=nothing, payout_min=Amount(DOLLAR, USD))
        await world.join("ann", "bob")
        await world.thing("song", owner="bob")
        vault = await deploy_vault(local)
        yield Town(world, vault, (await local.chain.latest()).number)


@pytest.fixture
async def town(store, clock):
    async with open_town(store, clock) as opened:
        yield opened


async def test_a_month_is_closed_and_charged_and_the_books_follow_the_vault(town):
    world, vault, money = town.world, town.vault, town.money
    ann, operator = await vault.local.funded("ann"), vault.operator
    await vault.deposit(ann, 10 * DOLLAR, 4 * DOLLAR)
    await chain_money.read(money)
    assert await town.has("ann") == (0, 0)
    await town.link("ann")
    assert await town.has("ann") == (6 * DOLLAR, 4 * DOLLAR)
    await world.flattr("ann", "song")

    await vault.local.jump_to(MONTH.ends_s - 1)
    assert not await chain_money.read_until(money, MONTH.ends_s)
    await vault.act(ann, set_pot_calldata(5 * DOLLAR))
    assert await chain_money.read_until(money, MONTH.ends_s)
    assert await town.has("ann") == (DOLLAR, 4 * DOLLAR)
    close = await world.close(MONTH)
    assert (close.figures.pots, close.figures.distributed) == (4 * DOLLAR, 4 * DOLLAR)

    await vault.local.mine()
    await chain_money.read(money)
    assert await town.has("ann", NEXT) == (DOLLAR, 5 * DOLLAR)
    uncharged = {world.members["ann"]: 4 * DOLLAR}
    assert await chain_money.differences(money, uncharged) == []

    await vault.act(operator, open_month_calldata())
    await vault.act(operator, charge_calldata(1, [word(ann.address, 4 * DOLLAR)]))
    await vault.act(ann, withdraw_calldata(DOLLAR, ann.address))
    await chain_money.read(money)
    assert await town.has("ann", NEXT) == (0, 5 * DOLLAR)
    assert await chain_money.differences(money, {}) == []


async def test_a_pot_that_nobody_flattred_with_is_not_doubled_when_it_rolls_over(town):
    world, vault, money = town.world, town.vault, town.money
    ann = await vault.local.funded("ann")
    await town.link("ann")
    await vault.deposit(ann, 10 * DOLLAR, 4 * DOLLAR)
    await vault.local.jump_to(MONTH.ends_s)
    assert await chain_money.read_until(money, MONTH.ends_s)
    await world.close(MONTH)
    assert await town.has("ann", NEXT) == (2 * DOLLAR, 8 * DOLLAR)
    await vault.local.mine()
    await chain_money.read(money)
    assert await town.has("ann", NEXT) == (6 * DOLLAR, 4 * DOLLAR)
    assert await chain_money.differences(money, {}) == []


async def test_a_late_close_that_rolls_a_pot_over_leaves_no_pot_above_the_vaults(town):
    world, vault, money = town.world, town.vault, town.money
    ann = await vault.local.funded("ann")
    await town.link("ann")
    await vault.deposit(ann, 10 * DOLLAR, 4 * DOLLAR)
    await vault.local.jump_to(NEXT.ends_s)
    assert await chain_money.read_until(money, MONTH.ends_s)
    await world.close(MONTH)
    assert await town.has("ann", NEXT) == (0, 8 * DOLLAR)
    assert await chain_money.read_until(money, NEXT.ends_s)
    assert await town.has("ann", NEXT) == (4 * DOLLAR, 4 * DOLLAR)


async def test_a_member_sees_what_is_free_and_what_is_locked_until_when(town):
    vault, money, members = town.vault, town.money, town.world.members
    assert await account_of(money, members["ann"]) is None
    ann = await vault.local.funded("ann")
    await town.link("ann")
    await vault.deposit(ann, 10 * DOLLAR, 4 * DOLLAR)
    await vault.act(ann, request_exit_calldata())
    now_s = (await vault.local.chain.latest()).time_s
    view = await account_of(money, members["ann"])
    assert view is not None
    assert (view.balance_units, view.free_units) == (10 * DOLLAR, 6 * DOLLAR)
    assert view.exit_at_s == now_s + 14 * 86_400
    await vault.local.jump_to(view.exit_at_s)
    matured = await account_of(money, members["ann"])
    assert matured is not None
    assert matured.free_units == 10 * DOLLAR


async def test_a_plain_transfer_is_surplus_until_the_operator_attributes_it(town):
    vault, money = town.vault, town.money
    ann = await vault.local.funded("ann")
    await town.link("ann")
    await vault.mint(ann.address, 3 * DOLLAR)
    await chain_money.read(money)
    await act(vault.local, ann, vault.token, transfer_calldata(vault.address, 3 * DOLLAR))
    assert (await chain_money.surplus(money)).units == 3 * DOLLAR
    await vault.act(vault.operator, attribute_calldata(ann.address, 3 * DOLLAR))
    await chain_money.read(money)
    assert (await chain_money.surplus(money)).units == 0
    assert await town.has("ann") == (3 * DOLLAR, 0)
