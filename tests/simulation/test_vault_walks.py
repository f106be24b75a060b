"""Random months on a chain that forks, read by several readers: the books end where the vault is.

Each seed is another story: deposits, pots, withdrawals, members who link late, forks above the
final block, readers at once, the chain away, a reader that dies at its commit, months that end. The
oracle is the chain itself. FLATTR_VAULT_WALKS=1000 walks further.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from random import Random
from typing import Final

import pytest

from node import failpoints
from node.clock import ManualClock
from node.errors import RailUnavailable
from node.failpoints import FailpointHit
from node.flows.vault import chain_money
from node.flows.vault.books import USD
from node.ids import MemberId
from node.ledger import accounts
from node.month import Month
from node.store import journal, suspense
from node.store.engine import open_store
from tests.conftest import MONTH
from tests.flows.vault.bank import Bank, open_bank
from tests.wallet.stablecoin.fake_chain import CHAIN_ID, address_of

WALKS: Final = int(os.environ.get("FLATTR_VAULT_WALKS", "6"))
STEPS: Final = 60
NAMES: Final = ("ann", "bob", "cy", "dora")


class Walk:
    """One story. What a member can still take out is asked of the chain's newest block."""

    def __init__(self, bank: Bank, random: Random) -> None:
        self.bank, self.random = bank, random
        self.chain = bank.chain

    async def step(self) -> None:
        steps = (
            (self.pay, 8), (self.mine, 8), (self.read, 6), (self.finalize, 4), (self.fork, 2),
            (self.link, 1), (self.next_month, 1),
        )  # fmt: skip
        (chosen,) = self.random.choices([one for one, _ in steps], [weight for _, weight in steps])
        await chosen()

    async def pay(self) -> None:
        member = address_of(self.random.choice(NAMES))
        match self.random.randrange(5):
            case 0 | 1:
                self.chain.deposit(member, self.random.randint(1, 50), self.random.randrange(9))
            case 2:
                self.chain.set_pot(member, self.random.randint(1, 60))
            case 3:
                self.chain.reclaim(member, self.random.randint(0, 5))
            case 4:
                waiting = sum(min(one.units, 0) for one in self.chain.waiting)
                if (most := self.chain.balance(member) + waiting) > 0:
                    self.chain.withdraw(member, self.random.randint(1, most))

    async def mine(self) -> None:
        self.chain.mine(final=False)

    async def finalize(self) -> None:
        last = self.chain.blocks[-1].number
        self.chain.final = self.random.randint(self.chain.final, last)

    async def fork(self) -> None:
        depth = self.random.randint(0, self.chain.blocks[-1].number - self.chain.final)
        if depth:
            # All of it happens again, or nothing could be sure that a withdrawal has its money.
            self.chain.reorg(depth, keep=range(depth))

    async def next_month(self) -> None:
        month = Month.at(self.chain.blocks[-1].time_s).plus(1)
        self.chain.mine(month.starts_s + self.random.randrange(100), final=False)

    async def link(self) -> None:
        late = [name for name in NAMES if name not in self.bank.members]
        if late:
            await self.bank.join(late[0])

    async def read(self) -> None:
        self.chain.away = self.random.random() < 0.1
        if self.random.random() < 0.2:
            point = self.random.choice(("before_commit", "after_commit"))
            failpoints.arm({f"chain.deposit.{point}": "raise"})
        readers = (chain_money.read(self.bank.money) for _ in range(self.random.randint(1, 3)))
        found = await asyncio.gather(*readers, return_exceptions=True)
        failpoints.arm({})
        self.chain.away = False
        for one in found:
            assert isinstance(one, int | RailUnavailable | FailpointHit), one

    async def judge(self) -> None:
        """Everything is final, everybody is linked: each account is the vault's."""
        for _ in NAMES:
            await self.link()
        self.chain.mine()
        assert await chain_money.read(self.bank.money) == 0
        assert await chain_money.differences(self.bank.money, {}) == []
        month = Month.at(self.chain.blocks[-1].time_s)
        for name, member in self.bank.members.items():
            pot = min(self.chain.pot(address_of(name)), await self._has(member, month))
            assert await self.bank.units(accounts.pot(USD, member, month)) == pot
        await self._judge_suspense(month)

    async def _judge_suspense(self, month: Month) -> None:
        """What was taken out beyond the books is in pots of months that wait for their close."""
        async with self.bank.store.read() as tx:
            beyond = await suspense.unexplained(tx, CHAIN_ID, USD)
            waits = {
                member: sum(
                    pot.units
                    for ended, pot in (await journal.pots_of(tx, member, USD)).items()
                    if ended < month
                )
                for member in self.bank.members.values()
            }
        gone = Counter[MemberId]()
        for one in beyond:
            gone[one.member] += one.units
        assert all(units <= waits[member] for member, units in gone.items()), (gone, waits)
        assert await self.bank.units(accounts.suspense(USD)) == gone.total()

    async def _has(self, member, month: Month) -> int:
        """What a member has outside the pots of months that still wait for their close."""
        free = await self.bank.units(accounts.available(USD, member))
        return free + await self.bank.units(accounts.pot(USD, member, month))


@pytest.mark.parametrize("seed", range(WALKS))
async def test_the_books_end_where_the_vault_is(tmp_path, seed):
    clock, random = ManualClock(MONTH.starts_s + 3600), Random(seed)
    url = f"sqlite:///{tmp_path / 'flattr.sqlite'}"
    async with open_store(url) as store, open_bank(store, clock) as bank:
        walk = Walk(bank, random)
        for _ in range(STEPS):
            await walk.step()
        await walk.judge()
