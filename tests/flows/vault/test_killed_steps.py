"""Steps of the stablecoin that no month passes by itself, killed on both sides of their commit."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import pytest

from node.clock import ManualClock
from node.devnet.evm import jump, local_key
from node.devnet.evm_vault import DOLLAR, act, set_blocked_calldata
from node.errors import Conflict
from node.flows.vault import chain_money
from node.flows.vault.attribute import attribute, stray_in
from node.flows.vault.chain_key import account_key
from node.flows.vault.link import challenge, link
from node.flows.vault.reseal import reseal
from node.ledger import accounts
from node.money import Asset, sats
from node.settlement.payout import PayoutState
from node.store.engine import open_store
from node.wallet.stablecoin.calldata import transfer_calldata, veto_calldata
from tests.conftest import MONTH
from tests.flows.vault.bank import open_bank
from tests.flows.vault.fake_mempool import KEY, FakeMempool
from tests.flows.vault.test_link import KEY as WALLET
from tests.flows.vault.test_link import has, linking, sign  # noqa: F401  a fixture
from tests.flows.vault.vault_town import open_town
from tests.killed import AT, judge, killed, points_of
from tests.wallet.stablecoin.fake_chain import address_of

KILLED = points_of(
    "chain.account", "chain.ahead", "vault.attribute", "vault.bury", "vault.link",
    "vault.postpone", "vault.reseal",
)  # fmt: skip
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
WAITED = 1_800_000
"""What `light`, who has no address when the month is paid, gets later."""


@pytest.mark.parametrize("at", AT)
async def test_what_is_ahead_is_pending_once(store, clock, at):
    async with open_bank(store, clock) as bank:
        bank.chain.deposit(address_of("ann"), 5)
        bank.chain.mine(final=False)
        ahead = partial(chain_money.look_ahead, bank.money)
        await killed(ahead, f"chain.ahead.{at}")
        assert await bank.pending() == ([] if at == "before_commit" else [5])
        assert await ahead() == 1
        assert await bank.pending() == [5]
        bank.chain.mine()
        await chain_money.read(bank.money)
        assert (await bank.pending(), await bank.has("ann")) == ([], (5, 0))


async def test_a_key_is_accounted_for_as_if_nobody_had_been_killed(tmp_path, database_url):
    del database_url
    made = iter(range(3))

    @asynccontextmanager
    async def key():
        async with open_store(f"sqlite:///{tmp_path / str(next(made))}") as store:
            yield SimpleNamespace(store=store, clock=ManualClock(MONTH.starts_s))

    async def account(place):
        chain = FakeMempool()
        chain.steal(3)
        chain.mine(1 + chain.depth)
        return partial(account_key, place.store, cast(Any, chain), 1, KEY)

    await judge(key, account, "chain.account")


@pytest.mark.parametrize("at", AT)
async def test_a_wallet_is_linked_once(linking, store, clock, at):  # noqa: F811  the fixture
    async with open_bank(store, clock) as bank:
        ben = await bank.join("ben", linked=False)
        linking.money.chain.deposit(WALLET.address, 10, pot=4)
        linking.money.chain.mine()
        await chain_money.read(linking.money)
        text = await challenge(linking, ben, WALLET.address)
        asked = partial(link, linking, ben, text, sign(text))
        await killed(asked, f"vault.link.{at}")
        if at == "after_commit":
            with pytest.raises(Conflict, match="ask for another"):
                await asked()
        else:
            assert (await asked()).member == ben
        assert await has(linking, ben) == (6, 4)


@pytest.mark.parametrize("at", AT)
async def test_a_plain_transfer_is_attributed_once(town, at):
    coin, rita = town.coin, local_key("rita")
    await town.vault.mint(rita.address, 7 * DOLLAR)
    calldata = transfer_calldata(town.vault.address, 7 * DOLLAR)
    sent = await act(town.local, rita, coin.token, calldata)
    stray = await stray_in(coin, sent.tx_hash)
    free = accounts.available(Asset.USD, town.world.members["rita"])
    before = await town.units(free)
    asked = partial(attribute, coin, stray, town.world.members["rita"])
    await killed(asked, f"vault.attribute.{at}")
    await asked()
    for _ in range(8):
        await town.payer().round()
        await town.local.mine()
    await chain_money.read(coin.money)
    assert await town.units(free) - before == 7 * DOLLAR
    assert await chain_money.differences(coin.money, {}) == []


@pytest.mark.parametrize("at", AT)
@pytest.mark.parametrize("step", ["vault.postpone", "vault.bury"])
async def test_a_transfer_that_the_token_refuses_waits_and_is_paid_once(town, step, at):
    await town.end()
    await town.play()
    address = await town.target("light")
    if step == "vault.bury":
        while (await _light(town)).state is not PayoutState.IN_FLIGHT:
            await town.payer().round()
    await _block(town, address, True)
    await killed(partial(_rounds, town), f"{step}.{at}")
    town.lives += 1
    town.world.clock.advance(3600)
    await _rounds(town)
    assert await town.has(address) == 0
    assert (await _light(town)).state is PayoutState.DUE
    await _block(town, address, False)
    town.world.clock.advance(86_400)
    await _rounds(town)
    await town.play()
    assert await town.has(address) == WAITED
    assert (await _light(town)).state is PayoutState.PAID


async def _light(town):
    return (await town.payouts())[town.world.members["light"]]


async def _block(town, address: str, blocked: bool) -> None:
    calldata = set_blocked_calldata(address, blocked)
    await act(town.local, town.vault.owner, town.vault.token, calldata)


async def _rounds(town) -> None:
    for _ in range(3):
        await town.payer().round()
        await town.local.mine()
        town.world.clock.advance(2)


@pytest.mark.parametrize("at", AT)
async def test_a_vetoed_month_is_sealed_again_once(store, clock, at):
    async with open_town(store, clock, delay_s=3600) as town:
        world = town.world
        await world.join("rita", "coin")
        await world.thing("coin's", owner="coin")
        await world.fund("coin", sats(2000), to_pot=True, at_s=None)
        await town.fill("rita", 10 * DOLLAR, 10 * DOLLAR)
        address = await town.target("coin")
        await world.flattr("rita", "coin's")
        await town.end()
        await _step_until(town, "sealed; payable")
        await town.vault.act(town.vault.guardian, veto_calldata(1))
        await _step_until(town, "vetoed by the guardian")
        asked = partial(reseal, town.coin, MONTH)
        await killed(asked, f"vault.reseal.{at}")
        if at == "after_commit":
            with pytest.raises(Conflict):
                await asked()
        else:
            await asked()
        town.said.clear()
        await _step_until(town, "sealed; payable")
        await jump(town.local, 3700)
        await town.play()
        assert await town.has(address) == 9 * DOLLAR


async def _step_until(town, words: str) -> None:
    for _ in range(40):
        await town.step()
        if any(words in said for said in town.said):
            return
        await town.local.mine()
    raise AssertionError(f"{words}: never said, but {town.said[-3:]}")
