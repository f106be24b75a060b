"""Many writers at once on the same money: `python -m tests.storage races`.

    pot       64 requests on one pot and one balance, at once: fill it, empty it, withdraw, close
    writers   16 stores on one database, as 16 processes are, each moving money and clicking

Some are refused (the balance does not reach, the month is closed), some are told that the database
is too busy, and ask again. Whatever happens, no balance is ever negative, nothing is booked twice,
and what was acknowledged is there.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Final

from node.clock import ManualClock, this_month
from node.config import MoneySettings
from node.errors import BadMonth, Conflict, DatabaseAway, InsufficientFunds
from node.flows import claim, fund, join
from node.flows.close import Closing, close_month
from node.flows.flattr import open_clicks
from node.flows.fold import fold
from node.flows.rules import lightning_rules
from node.flows.withdraw import withdraw
from node.ids import MemberId
from node.ledger import accounts, bookings
from node.money import Asset, sats
from node.month import Month
from node.settlement.payout import PayoutState
from node.store import checks, journal, payouts
from node.store.engine import Store, open_store
from node.wallet.lightning.simulated import SimulatedNetwork, open_simulated_network

AT_ONCE: Final = 64
WRITERS: Final = 16
TURNS: Final = 4
HAS_SAT: Final = 1000
ONE_SAT: Final = 100
MONTH: Final = Month(2026, 11)
RULES: Final = lightning_rules(MoneySettings(dues_sat=0))


@dataclass
class RaceReport:
    """What came of it. `ends`: how the requests ended, by kind."""

    races: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    seconds: float = 0
    wrong: list[str] = field(default_factory=list)


@dataclass
class _Race:
    """One member's money, and those who reach for it."""

    stores: list[Store]
    clock: ManualClock
    network: SimulatedNetwork
    random: Random
    report: RaceReport
    withdrawn: set[str] = field(default_factory=set)

    async def pot_race(self, member: MemberId, month: Month) -> None:
        """Everything at once on one member's money, around the end of the month."""
        makers = [self.set_pot, self.set_pot, self.take_out]
        work = [
            self.random.choice(makers)(number, member, self.store())
            for number in range(AT_ONCE - 4)
        ]
        work += [self.close(month, self.store()) for _ in range(4)]
        self.random.shuffle(work)
        await asyncio.gather(*work)

    def store(self) -> Store:
        return self.random.choice(self.stores)

    async def set_pot(self, number: int, member: MemberId, store: Store) -> None:
        funding = fund.Funding(store, self.clock, RULES, None, None)  # type: ignore[arg-type]  # no invoice is asked for
        wanted = sats(self.random.choice([0, ONE_SAT, HAS_SAT // 2, HAS_SAT]))
        await self._ended("pot", fund.set_pot(funding, member, wanted, f"pot-{number}"))

    async def take_out(self, number: int, member: MemberId, store: Store) -> None:
        invoice = self.network.invoice("reader", ONE_SAT * 1000, expiry_s=86_400)
        taking = withdraw(
            store, self.clock, RULES, member, invoice, None, f"out-{number}", frozenset()
        )
        if (payout := await self._ended("withdraw", taking)) is not None:
            self.withdrawn.add(payout.id)

    async def close(self, month: Month, store: Store) -> None:
        after = ManualClock(month.ends_s + 60)
        await self._ended("close", close_month(Closing(store, after, RULES, lambda _: None), month))

    async def _ended(self, kind: str, work):
        try:
            found = await work
        except InsufficientFunds:
            self.report.ends[f"{kind}: it does not reach"] += 1
        except (BadMonth, Conflict):
            self.report.ends[f"{kind}: refused"] += 1
        except DatabaseAway:
            self.report.ends[f"{kind}: too busy"] += 1
        else:
            self.report.ends[f"{kind}: done"] += 1
            return found
        return None


async def run_races(
    folder: Path, database: str, rounds: int, seed: int, say: Callable[[str], None]
) -> RaceReport:
    """So many months, each with a race for one pot; and then the writers."""
    report, began = RaceReport(), perf_counter()
    clock = ManualClock(MONTH.starts_s + 3600)
    async with (
        _stores(database, 4) as stores,
        open_simulated_network(folder / "net", {"node": 0, "reader": 0}, clock=clock) as network,
    ):
        race = _Race(stores, clock, network, Random(seed), report)
        for number in range(rounds):
            await _one_month(race, number)
            if (number + 1) % 10 == 0:
                say(f"{number + 1} races, {dict(report.ends)}")
        async with _stores(database, WRITERS) as writers:
            await _writers(writers, clock, report)
    report.seconds = perf_counter() - began
    return report


async def _one_month(race: _Race, number: int) -> None:
    """A member with money in pot and out of it; the race; then what is left is counted."""
    store, clock, month = race.stores[0], race.clock, this_month(race.clock)
    member, _ = await join.join(store, clock, f"racer{number}")
    creator, _ = await join.join(store, clock, f"creator{number}")
    thing = await claim.add_thing(store, clock, f"https://example.org/{number}", "")
    thing = await claim.grant(store, clock, creator, thing.id)
    await _give(store, clock, member, HAS_SAT, f"{number:064x}")
    async with open_clicks(store, clock) as clicks:
        await clicks.flattr(member, thing, None, "")
    race.withdrawn.clear()
    await race.pot_race(member, month)
    await close_month(Closing(store, ManualClock(month.ends_s + 60), RULES, lambda _: None), month)
    race.report.races += 1
    race.report.wrong += await _judge(race, number, member, creator, month)
    clock.set(month.ends_s + 3600)


async def _give(store: Store, clock: ManualClock, member: MemberId, sat: int, name: str) -> None:
    """Money, as a deposit books it."""
    async with store.write() as tx:
        await journal.lock_head(tx, Asset.SAT)
        entry = bookings.deposit(member, sats(sat), name, None)
        await journal.append(tx, entry, clock.now_us())


async def _judge(
    race: _Race, number: int, member: MemberId, creator: MemberId, month: Month
) -> list[str]:
    """The member's money is where it was left, was taken out once, or was given to the creator."""
    async with race.stores[0].read() as tx:
        wrong = [f"race {number}: {breach}" for breach in await checks.breaches(tx, deep=True)]
        opened = [
            payout
            for state in PayoutState
            for payout in await payouts.in_state(tx, Asset.SAT, state, 1_000_000)
        ]
        own = [accounts.pot(Asset.SAT, member, month.plus(later)) for later in range(3)]
        own.append(accounts.available(Asset.SAT, member))
        left = [(await journal.balance(tx, account)).units for account in own]
        theirs = [accounts.earned(Asset.SAT, creator), accounts.held(Asset.SAT, creator)]
        given = sum([(await journal.balance(tx, account)).units for account in theirs])
    out = [payout for payout in opened if payout.member == member]
    if {payout.id for payout in out} != race.withdrawn:
        wrong.append(f"race {number}: withdrawals {out} are not those that were acknowledged")
    taken = sum(payout.amount.units + payout.fee_limit.units for payout in out)
    given += sum(payout.amount.units for payout in opened if payout.member == creator)
    if sum(left) + taken + given * 10 // 9 != HAS_SAT * 1000:
        wrong.append(f"race {number}: left {left}, taken {taken}, given {given} msat")
    return wrong


async def _writers(stores: list[Store], clock: ManualClock, report: RaceReport) -> None:
    """Each store's own member gives, takes and folds; nothing that was acknowledged is missing."""
    people = [await join.join(stores[0], clock, f"writer{n}") for n in range(len(stores))]

    async def write(store: Store, member: MemberId) -> None:
        for turn in range(TURNS):
            while True:
                try:
                    await _give(store, clock, member, 1, f"{member:032x}{turn:032x}")
                    await fold(store, clock)
                    break
                except DatabaseAway:
                    report.ends["writer: too busy"] += 1
            report.ends["writer: done"] += 1

    await asyncio.gather(
        *(write(store, member) for store, (member, _) in zip(stores, people, strict=True))
    )
    async with stores[0].read() as tx:
        report.wrong += [str(breach) for breach in await checks.breaches(tx, deep=True)]
        for member, _ in people:
            free = await journal.balance(tx, accounts.available(Asset.SAT, member))
            if free != sats(TURNS):
                report.wrong.append(f"a writer was given {TURNS} sat and has {free}")


@asynccontextmanager
async def _stores(database: str, number: int) -> AsyncIterator[list[Store]]:
    """So many connections pools on one database, as so many processes have."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(open_store(database)) for _ in range(number)]
