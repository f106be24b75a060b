"""The people of a seed: readers with money in the vault, creators with things, and what they do.

before   readers pay in, set pots, ask for an exit perhaps; everybody clicks
later    some take their money out before it is charged, some say only now where to be paid
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from typing import Final

from node.clock import ManualClock
from node.flows import claim, join
from node.flows.flattr import open_clicks
from node.flows.vault import books as chain_books
from node.ids import MemberId
from node.money import Asset
from node.month import Month
from node.store import chain_addresses, members
from node.store.chain_addresses import LinkedAddress
from node.store.engine import Store, open_store
from node.store.members import StoredTarget
from node.store.things import Thing
from node.wallet.stablecoin import calldata as asks
from node.wallet.stablecoin.words import encode_call
from tests.crash.process import Process
from tests.crash.template import FILE, template
from tests.crash.vault.key import address_of, number_of
from tests.crash.vault.town import CHAIN_ID, TOKEN, VAULT, Town

MONTH: Final = Month(2026, 11)
READERS: Final = tuple(f"reader-{n}" for n in range(5))
CREATORS: Final = tuple(f"creator-{n}" for n in range(5))
DOLLAR: Final = 10**6


@dataclass(frozen=True)
class Known:
    """What the prepared database has: ids by name."""

    path: Path
    members: dict[str, MemberId] = field(default_factory=dict)
    things: dict[str, Thing] = field(default_factory=dict)


@cache
def prepared() -> Known:
    """A database with everybody in it, made once in a process, in a thread with a loop of its own.

    Nobody has money, a target or a flattr in it.
    """
    known = Known(template().with_name("vault.sqlite"))
    shutil.copyfile(template(), known.path)
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, _prepare(known)).result()
    return known


@contextmanager
def folder_of(name: str) -> Iterator[Path]:
    """A node's folder with a copy of the prepared database; gone afterwards."""
    folder = prepared().path.parent / name
    folder.mkdir()
    try:
        shutil.copyfile(prepared().path, folder / FILE)
        yield folder
    finally:
        shutil.rmtree(folder)


async def _prepare(known: Known) -> None:
    clock = ManualClock(MONTH.starts_s + 60)
    async with open_store(f"sqlite:///{known.path}") as store:
        for name in (*READERS, *CREATORS):
            known.members[name], _ = await join.join(store, clock, name)
        for name in CREATORS:
            thing = await claim.add_thing(store, clock, f"https://example.org/{name}", name)
            known.things[name] = await claim.grant(store, clock, known.members[name], thing.id)
        for name in READERS:
            await _link(store, clock, known.members[name], name)


async def _link(store: Store, clock: ManualClock, member: MemberId, name: str) -> None:
    """As `flows/vault/link.py` does it, without the signature."""
    linked = LinkedAddress(CHAIN_ID, address_of(name), member, clock.now_us(), 0)
    async with store.write() as tx:
        assert await chain_addresses.link(tx, linked)
        await chain_books.book_waiting(tx, linked, clock.now_us())


@dataclass
class People:
    """Who is in this seed, and what they have clicked: what the truth is computed from."""

    town: Town
    random: Random
    clicks: dict[Month, dict[str, set[str]]] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    """Where each creator is paid."""
    hidden: set[str] = field(default_factory=set)
    """Creators who have not said yet where."""

    def settle_down(self) -> None:
        """Money into the vault, pots, and exits that will have matured when the month is over."""
        for name in READERS:
            units = self.random.randrange(3, 40) * DOLLAR + self.random.randrange(10**6)
            pot = self.random.choice((units, units // 2, units // 3, 0))
            self.pay_in(name, units, pot)
            if self.random.random() < 0.4:
                self.town.act(name, VAULT, asks.request_exit_calldata())
        self.town.settle()

    def pay_in(self, name: str, units: int, pot: int) -> None:
        self.town.act(name, TOKEN, encode_call("mint(address,uint256)", address_of(name), units))
        self.town.act(name, TOKEN, asks.approve_calldata(VAULT, units))
        self.town.act(name, VAULT, asks.deposit_calldata(units, address_of(name), pot))

    async def say_where(self, store: Store) -> None:
        """Most creators say where they are paid; the others later."""
        for name in CREATORS:
            if self.random.random() < 0.65:
                await self.target(store, name)
            else:
                self.hidden.add(name)

    async def target(self, store: Store, name: str) -> None:
        """Say where to be paid, at once."""
        self.hidden.discard(name)
        self.addresses[name] = address_of(f"{name}'s wallet")
        member, now_us = prepared().members[name], self.town.now_s * 1_000_000
        text = self.addresses[name]
        target = StoredTarget(member, Asset.USD, text, text.lower(), now_us, now_us)
        async with store.write() as tx:
            await members.set_target(tx, target)

    async def click(self, store: Store, month: Month) -> None:
        """Everybody flattrs something."""
        known, clock = prepared(), ManualClock(self.town.now_s)
        self.clicks[month] = {}
        async with open_clicks(store, clock) as clicks:
            for name in READERS:
                chosen = self.random.sample(CREATORS, self.random.randint(0, len(CREATORS)))
                self.clicks[month][name] = set(chosen)
                for thing in chosen:
                    await clicks.flattr(known.members[name], known.things[thing], None, "")

    def leave(self, name: str) -> bool:
        """A reader takes out some of what the split counts on, if the vault lets them."""
        state, who = self.town.chain.state, number_of(name)
        account, at = state.account(who), state.exit_at.get(who, 0)
        if not account.balance or not 0 < at <= self.town.now_s:
            return False
        units = self.random.randint(1, account.balance)
        self.town.act(name, VAULT, asks.withdraw_calldata(units, address_of("elsewhere")))
        if self.random.random() < 0.5:
            self.town.act(name, VAULT, asks.set_pot_calldata(account.pot // 2))
        return True


async def as_operator(town: Town, work: object) -> None:
    """Run work on the node's database in a short process of its own."""
    process = Process("a person")

    async def run() -> None:
        async with open_store(town.url) as store:
            await work(store)  # type: ignore[operator] # any coroutine function that takes a store

    await process.run(run())
    await process.bury()
