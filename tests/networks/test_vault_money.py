"""The vault's money on anvil: a fork is undone, and a killed reader has credited all or nothing."""

from __future__ import annotations

import asyncio
import os
from multiprocessing import get_context

import pytest

from node.clock import ManualClock, SystemClock
from node.devnet.evm import ANVIL_CHAIN_ID, open_anvil
from node.devnet.evm_vault import DOLLAR, LocalVault, deploy_vault
from node.failpoints import arm_from_environment
from node.flows import join
from node.flows.vault import chain_money
from node.flows.vault.books import USD
from node.flows.vault.events import ChainMoney
from node.ids import MemberId
from node.ledger import accounts
from node.store import chain_addresses, journal
from node.store.chain_addresses import LinkedAddress
from node.store.engine import Store, open_store
from node.wallet.stablecoin.chain import open_chain
from node.wallet.stablecoin.vault import Vault
from tests.conftest import MONTH

pytestmark = pytest.mark.anvil
KILLED = -9
_SPAWN = get_context("spawn")


@pytest.fixture
async def vault(tmp_path):
    async with open_anvil(tmp_path / "anvil", starts_s=MONTH.starts_s + 3600) as anvil:
        yield await deploy_vault(anvil)


@pytest.fixture
async def ann(store, clock, vault) -> MemberId:
    member, _ = await join.join(store, clock, "ann")
    signer = await vault.local.funded("ann")
    linked = LinkedAddress(ANVIL_CHAIN_ID, signer.address, member, 1, 0)
    async with store.write() as tx:
        assert await chain_addresses.link(tx, linked)
    return member


def money_of(store: Store, clock: ManualClock, vault: LocalVault) -> ChainMoney:
    return ChainMoney(store, clock, vault.local.chain, vault.vault, ANVIL_CHAIN_ID, 1)


async def has(store: Store, member: MemberId) -> tuple[int, int]:
    async with store.read() as tx:
        free = await journal.balance(tx, accounts.available(USD, member))
        pot = await journal.balance(tx, accounts.pot(USD, member, MONTH))
    return free.units, pot.units


async def test_a_deposit_is_pending_then_forked_away_then_made_again_and_credited_once(
    store, clock, vault, ann
):
    money, signer = money_of(store, clock, vault), await vault.local.funded("ann")
    await vault.local.finalize()
    await chain_money.read(money)
    await vault.deposit(signer, 10 * DOLLAR, 4 * DOLLAR)
    assert await chain_money.read(money) == 2
    assert await has(store, ann) == (0, 0)
    await vault.local.reorg(2)
    assert await chain_money.read(money) == 0
    await vault.local.finalize()
    await chain_money.read(money)
    assert await has(store, ann) == (0, 0)
    await vault.deposit(signer, 10 * DOLLAR, 4 * DOLLAR)
    await chain_money.read(money)
    await vault.local.finalize()
    await chain_money.read(money)
    assert await has(store, ann) == (6 * DOLLAR, 4 * DOLLAR)
    assert await chain_money.differences(money, {}) == []


def read_in_another_process(database: str, url: str, address: str) -> None:
    """What a serving node does, in a process that a failpoint kills."""

    async def read() -> None:
        async with open_store(database) as store, open_chain([url], alone=True) as chain:
            vault = Vault(chain, address)
            money = ChainMoney(store, SystemClock(), chain, vault, ANVIL_CHAIN_ID, 1)
            await chain_money.read(money)

    arm_from_environment()
    asyncio.run(read())


async def run_reader(database: str, vault: LocalVault, failpoints: str) -> int | None:
    arguments = (database, vault.local.url, vault.address)
    os.environ["FLATTR_FAILPOINTS"] = failpoints
    try:
        process = _SPAWN.Process(target=read_in_another_process, args=arguments)
        process.start()
    finally:
        del os.environ["FLATTR_FAILPOINTS"]
    await asyncio.to_thread(process.join, 60)
    return process.exitcode


async def test_a_reader_that_is_killed_at_each_point_credits_each_deposit_once(
    store, clock, database_url, vault, ann
):
    money, signer = money_of(store, clock, vault), await vault.local.funded("ann")
    paid = 0
    for point, in_books in (("before_commit", False), ("after_commit", True)):
        before = sum(await has(store, ann))
        await vault.deposit(signer, DOLLAR)
        await vault.local.finalize()
        paid += DOLLAR
        kill = f"chain.deposit.{point}=kill"
        assert await run_reader(database_url, vault, kill) == KILLED
        assert sum(await has(store, ann)) == (paid if in_books else before)
        assert await run_reader(database_url, vault, "") == 0
        assert await has(store, ann) == (paid, 0)
    await chain_money.read(money)
    assert await has(store, ann) == (paid, 0)
    assert await chain_money.differences(money, {}) == []
