"""A node's reader of the vault, its members, and the fake chain that it reads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

from node.clock import ManualClock
from node.flows import join
from node.flows.vault import books as chain_books
from node.flows.vault.books import USD
from node.flows.vault.events import ChainMoney
from node.ids import MemberId
from node.ledger import accounts, bookings
from node.ledger.accounts import Account, Kind
from node.money import Amount, Asset
from node.month import Month
from node.store import chain_addresses, chain_events, closes, journal
from node.store.chain_addresses import LinkedAddress
from node.store.chain_events import EventState
from node.store.closes import Close, Figures, Stage
from node.store.engine import Store
from node.wallet.stablecoin.chain import Chain
from tests.conftest import MONTH
from tests.wallet.stablecoin.fake_chain import (
    CHAIN_ID,
    FakeChain,
    address_of,
    new_chain,
    vault_on,
)


@dataclass
class Bank:
    """A node's reader, the chain that it reads, and its members."""

    store: Store
    clock: ManualClock
    chain: FakeChain
    members: dict[str, MemberId] = field(default_factory=dict)

    @property
    def money(self) -> ChainMoney:
        return ChainMoney(
            self.store, self.clock, cast(Chain, self.chain), vault_on(self.chain), CHAIN_ID, 1
        )

    async def join(self, name: str, *, linked: bool = True) -> MemberId:
        self.members[name], _ = await join.join(self.store, self.clock, name)
        if linked:
            await self.link(name)
        return self.members[name]

    async def link(self, name: str) -> None:
        """As `flows/vault/link.py` does it, without the signature."""
        linked = LinkedAddress(CHAIN_ID, address_of(name), self.members[name], 1, 0)
        async with self.store.write() as tx:
            assert await chain_addresses.link(tx, linked)
            await chain_books.book_waiting(tx, linked, self.clock.now_us())
            await chain_books.settle_pots(tx, CHAIN_ID, MONTH, self.clock.now_us())

    async def roll(self, name: str, units: int) -> None:
        """Put what is available into the month's pot, whatever the vault's pot is."""
        amount = Amount(units, USD)
        entry = bookings.fill_pot(self.members[name], MONTH, amount, "rolled", "once")
        async with self.store.write() as tx:
            await journal.append(tx, entry, self.clock.now_us())

    async def units(self, account: Account) -> int:
        async with self.store.read() as tx:
            return (await journal.balance(tx, account)).units

    async def has(self, name: str, month: Month = MONTH) -> tuple[int, int]:
        """(available, the pot of the month)."""
        member = self.members[name]
        return (
            await self.units(accounts.available(USD, member)),
            await self.units(accounts.pot(USD, member, month)),
        )

    async def pending(self) -> list[int]:
        async with self.store.read() as tx:
            found = await chain_events.in_state(tx, CHAIN_ID, EventState.PENDING, 100)
        return [one.units for one in found]

    async def freeze(self, month: Month, asset: Asset = USD) -> None:
        close = Close(month, asset, Stage.FROZEN, 1, 1000, 0, Figures(), None)
        async with self.store.write() as tx:
            assert await closes.freeze(tx, close)


@asynccontextmanager
async def open_bank(store: Store, clock: ManualClock) -> AsyncIterator[Bank]:
    """A bank with ann linked. At the end the wallet holds what the members have, to the unit."""
    made = Bank(store, clock, new_chain(MONTH.starts_s + 60))
    await made.join("ann")
    yield made
    async with store.read() as tx:
        owed = [await journal.total(tx, USD, kind) for kind in (Kind.AVAILABLE, Kind.POT)]
    assert await made.units(accounts.wallet(USD)) == sum(one.units for one in owed)
