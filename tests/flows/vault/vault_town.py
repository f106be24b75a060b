"""A node on both rails: sats on the fake rail, the stablecoin on a real vault in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from node.config import MoneySettings, StablecoinSettings
from node.devnet.evm import Tester, local_key, open_tester
from node.devnet.evm_vault import LocalVault, deploy_vault
from node.failpoints import FailpointHit
from node.flows.close import Closing, close_month
from node.flows.rules import stablecoin_rules
from node.flows.vault import books as chain_books
from node.flows.vault import chain_money
from node.flows.vault.events import ChainMoney
from node.flows.vault.months import VaultMonths
from node.flows.vault.pay import VaultPayer
from node.flows.vault.stablecoin import Stablecoin
from node.flows.vault.transact import Transactor
from node.ids import MemberId
from node.ledger.accounts import Account
from node.money import Asset
from node.month import Month
from node.settlement.payout import Payout, PayoutState
from node.store import chain_addresses, journal, members, payouts, vault_months
from node.store.chain_addresses import LinkedAddress
from node.store.closes import Close, Stage
from node.store.members import StoredTarget
from tests.conftest import MONTH
from tests.world import World, open_world

CEILING_WEI = 1000 * 10**9
ROUNDS_MAX = 120
CREATORS = ("both", "coin", "light", "none", "idle")
"""Paid on both rails, in the stablecoin, over Lightning, nowhere; and one who pays no dues."""


@dataclass
class Town:
    """The world of the scenarios, with a vault on a chain in this process."""

    world: World
    local: Tester
    vault: LocalVault
    coin: Stablecoin
    lives: int = 0
    said: list[str] = field(default_factory=list)

    async def link(self, name: str) -> None:
        """As `flows/vault/link.py` does it, without the signature."""
        coin, now_us = self.coin, self.world.clock.now_us()
        linked = LinkedAddress(
            coin.money.chain_id, local_key(name).address, self.world.members[name], now_us, 0
        )
        async with self.world.store.write() as tx:
            assert await chain_addresses.link(tx, linked)
            await chain_books.book_waiting(tx, linked, now_us)
            await chain_books.settle_pots(tx, coin.money.chain_id, MONTH, now_us)

    async def fill(self, name: str, units: int, pot_units: int) -> None:
        """Pay into the vault, and let the node read it."""
        await self.vault.deposit(await self.local.funded(name), units, pot_units)
        await self.link(name)
        await chain_money.read(self.coin.money)

    async def target(self, name: str, address: str | None = None) -> str:
        """Where the member is paid in the stablecoin, at once."""
        address = address or local_key(name).address
        member, now_us = self.world.members[name], self.world.clock.now_us()
        target = StoredTarget(member, Asset.USD, address, address.lower(), now_us, now_us)
        async with self.world.store.write() as tx:
            await members.set_target(tx, target)
        return address

    def payer(self) -> VaultPayer:
        """As a process that has just started has it."""
        return VaultPayer(self.coin, f"life {self.lives}")

    async def end(self, month: Month = MONTH) -> None:
        """The month ends, on the chain too."""
        self.world.clock.set(month.ends_s)
        await self.local.jump_to(month.ends_s)

    async def close(self, month: Month = MONTH) -> Close:
        """One call of the close."""
        closing = Closing(
            self.world.store, self.world.clock, self.coin.rules, self.said.append, self.coin,
            (self.world.rules,),
        )  # fmt: skip
        return await close_month(closing, month)

    async def step(self, month: Month = MONTH) -> bool:
        """The close and a round of the payer; whether all is done."""
        close = await self.close(month)
        report = await self.payer().round()
        self.said += report.words
        async with self.world.store.read() as tx:
            open_months = await vault_months.unfinished(
                tx, self.coin.money.chain_id, self.vault.address
            )
            flying = await payouts.in_state(tx, Asset.USD, PayoutState.IN_FLIGHT, 1)
        quiet = not (report.moved or report.pending or report.postponed)
        return close.stage is Stage.CHECKED and not open_months and not flying and quiet

    async def play(self, month: Month = MONTH) -> None:
        """Step after step, a block between two, until all is done; a killed one lives again."""
        for _ in range(ROUNDS_MAX):
            try:
                if await self.step(month):
                    return
            except FailpointHit:
                self.lives += 1
                self.world.clock.advance(3600)
            await self.local.mine()
            self.world.clock.advance(2)
        raise AssertionError(f"still under way: {self.said[-3:]}")

    async def units(self, account: Account) -> int:
        """The balance of an account."""
        async with self.world.store.read() as tx:
            return (await journal.balance(tx, account)).units

    async def has(self, address: str) -> int:
        """By the token: what an address has."""
        return await self.vault.vault.token_balance(address)

    async def payouts(self) -> dict[MemberId, Payout]:
        """Everybody's newest payout in the stablecoin."""
        found = {}
        async with self.world.store.read() as tx:
            for state in PayoutState:
                for payout in await payouts.in_state(tx, Asset.USD, state, 1000):
                    found[payout.member] = payout
        return found


def stablecoin_of(world: World, vault: LocalVault, first_block: int) -> Stablecoin:
    """The second rail, put together as `app.py` does it."""
    local = vault.local
    money = ChainMoney(
        world.store, world.clock, local.chain, vault.vault, local.chain_id, first_block
    )
    transactor = Transactor(
        world.store, world.clock, local.chain, local.chain_id, vault.operator, CEILING_WEI
    )
    settings = StablecoinSettings.model_construct(dues_units=2_000_000, payout_min_units=1_000_000)
    return Stablecoin(
        network="eth-tester",
        money=money,
        token=vault.token,
        treasury=vault.treasury.address,
        signer=vault.operator,
        transactor=transactor,
        months=VaultMonths(local.chain, local.chain_id, vault.vault, transactor),
        rules=stablecoin_rules(MoneySettings(), settings, vault.treasury.address),
        secret=bytes(range(32)),
    )


@asynccontextmanager
async def open_town(store, clock, *, delay_s: int = 0) -> AsyncIterator[Town]:
    """A town on a day of MONTH, with a vault that pays so long after a seal."""
    async with (
        open_world(store, clock) as world,
        open_tester(starts_s=MONTH.starts_s + 3600) as local,
    ):
        vault = await deploy_vault(local, delay_s=delay_s)
        first_block = (await local.chain.latest()).number
        yield Town(world, local, vault, stablecoin_of(world, vault, first_block))
