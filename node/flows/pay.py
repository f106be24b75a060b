"""Pay what is due, round by round: settle what is open, then send what is due.

Recovery is not another path. After a crash the first round finds the attempts that were stored,
asks the rail about each, and goes on. One payer per rail holds a lease; its epoch is demanded in
each transaction that leads to a send. What is written before and after each step:

    prepare          nothing moves            an invoice, judged
    store            attempt, payout IN_FLIGHT                      ◀ from here on it counts as sent
    send             attempt SENT             then the network
    check            settle | refuse | wait   by `flows/outcome.py`
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Final

import structlog

from node.clock import Clock, now_s
from node.errors import LeaseLost, QuoteRefused, RailError, RailUnavailable
from node.failpoints import failpoint
from node.flows.hold import hold_and_release
from node.flows.outcome import Outcomes
from node.flows.rules import Rules
from node.settlement.attempt import Attempt, AttemptEvent, AttemptState
from node.settlement.batch import choose
from node.settlement.payout import Payout, PayoutEvent
from node.settlement.rail import Pending, Rail, Refused
from node.settlement.retry import backoff_s
from node.store import deposits, leases, payouts
from node.store.engine import Store
from node.store.leases import Lease

LEASE_S: Final = 120
PAYOUTS_A_ROUND: Final = 5000
SEND_MARGIN_S: Final = 60
"""An invoice that expires sooner is not sent any more."""

_log = structlog.get_logger()


@dataclass(slots=True)
class RoundReport:
    """What a round did."""

    settled: int = 0
    refused: int = 0
    pending: int = 0
    sent: int = 0
    postponed: int = 0
    words: list[str] = field(default_factory=list)

    @property
    def moved(self) -> bool:
        """Whether anything changed that the next round should look at at once."""
        return bool(self.settled or self.refused or self.sent)


class Payer:
    """Pays on one rail. `holder` names this process in the lease."""

    def __init__(self, store: Store, clock: Clock, rules: Rules, rail: Rail, holder: str) -> None:
        self._store = store
        self._clock = clock
        self._rules = rules
        self._rail = rail
        self._holder = holder
        self._outcomes = Outcomes(store, clock, rail)

    async def round(self) -> RoundReport:
        """One round. Raises LeaseLost while another process pays, RailUnavailable."""
        report = RoundReport()
        lease = await self._lease()
        await self._settle_open(report)
        async with self._store.read() as tx:
            stopped = await leases.stopped(tx, self._rail.name)
        if stopped is not None:
            report.words.append(f"nothing is sent on {self._rail.name}: {stopped}")
            return report
        await hold_and_release(self._store, self._clock, self._rail.asset)
        await self._send_due(report, lease)
        return report

    async def settle_only(self) -> RoundReport:
        """Ask about what is open, and send nothing."""
        report = RoundReport()
        await self._settle_open(report)
        return report

    async def _lease(self) -> Lease:
        now_us = self._clock.now_us()
        async with self._store.write() as tx:
            lease = await leases.take(
                tx, f"pay.{self._rail.name}", self._holder, now_us, now_us + LEASE_S * 1_000_000
            )
        if lease is None:
            raise LeaseLost(f"another process pays on {self._rail.name}")
        return lease

    async def _settle_open(self, report: RoundReport) -> None:
        async with self._store.read() as tx:
            live = await payouts.live_attempts(tx, self._rail.name, PAYOUTS_A_ROUND)
        places = asyncio.Semaphore(self._rail.attempts_in_flight_max)

        async def one(attempt: Attempt) -> None:
            async with places:
                await self._look(attempt, report)

        await asyncio.gather(*(one(attempt) for attempt in live))

    async def _look(self, attempt: Attempt, report: RoundReport) -> None:
        """Ask about one attempt, and book the answer; send it again if that is safe."""
        outcome = await self._outcomes.check(attempt, report)
        if not isinstance(outcome, Pending) or not outcome.send_again:
            return
        if attempt.expires_s is not None and now_s(self._clock) > attempt.expires_s - SEND_MARGIN_S:
            return
        async with self._store.read() as tx:
            if await leases.stopped(tx, self._rail.name) is not None:
                return
        await self._send(attempt, await self._lease())
        report.sent += 1

    async def _send_due(self, report: RoundReport, lease: Lease) -> None:
        capacity = await self._rail.capacity()
        if not capacity.ready:
            report.words.append(f"{self._rail.name} can't send: {capacity.words}")
            return
        async with self._store.read() as tx:
            due = await payouts.due(tx, self._rail.asset, now_s(self._clock), PAYOUTS_A_ROUND)
            busy = await payouts.busy_receivers(tx, self._rail.asset)
            number = await payouts.next_number(tx, self._rail.name)
        chosen = choose(due, busy=busy, places=PAYOUTS_A_ROUND, spendable=capacity.spendable)
        if chosen.short:
            report.words.append(chosen.short_words)
        places = max(0, self._rail.attempts_in_flight_max - len(busy))
        waiting, numbers = iter(chosen.chosen), count(number)

        async def worker() -> None:
            """Pay one after the other; leave when a payment stays open, for it keeps the place."""
            for payout in waiting:
                if not await self._pay(payout, next(numbers), lease, report):
                    return

        async with asyncio.TaskGroup() as group:
            for _ in range(min(places, len(chosen.chosen))):
                group.create_task(worker(), name="pay")

    async def _pay(self, payout: Payout, number: int, lease: Lease, report: RoundReport) -> bool:
        """Pay one payout; whether its place is free again."""
        if not await self._earlier_are_dead(payout, report):
            return True
        try:
            attempt = await self._rail.prepare([payout], number)
        except QuoteRefused as error:
            await self._outcomes.unpayable(payout, str(error))
            report.postponed += 1
            return True
        except RailUnavailable as error:
            report.words.append(str(error))
            return False
        stored = await self._store_attempt(payout, attempt, lease)
        await self._send(stored, lease)
        report.sent += 1
        async with self._store.read() as tx:
            fresh = await payouts.attempt(tx, stored.id)
        assert fresh is not None, "it was stored above"
        return not isinstance(await self._outcomes.check(fresh, report), Pending)

    async def _store_attempt(self, payout: Payout, attempt: Attempt, lease: Lease) -> Attempt:
        """Store the attempt, or the same hash's earlier one; from here on it counts as sent."""
        now_us = self._clock.now_us()
        async with self._store.write() as tx:
            await leases.demand(tx, lease, now_us)
            earlier = await payouts.attempt(tx, attempt.id)
            if earlier is not None:
                await payouts.revive(tx, earlier)
                attempt = replace(earlier, state=AttemptState.READY)
            else:
                await deposits.use_hash(tx, attempt.reference, f"attempt:{attempt.id}")
                await payouts.add_attempt(tx, attempt, lease.epoch, now_us)
            await payouts.move(tx, payout, PayoutEvent.STORED)
            failpoint("pay.store.before_commit")
        failpoint("pay.store.after_commit")
        return attempt

    async def _send(self, attempt: Attempt, lease: Lease) -> None:
        """Say that it is sent, then send it. Whatever comes back is no verdict."""
        async with self._store.write() as tx:
            await leases.demand(tx, lease, self._clock.now_us())
            await payouts.move_attempt(tx, attempt, AttemptEvent.SEND)
            await payouts.set_sent(tx, attempt.id, lease.epoch, now_s(self._clock))
            failpoint("pay.send.before_commit")
        failpoint("pay.send.after_commit")
        try:
            await self._rail.send(attempt)
        except RailError as error:
            _log.info("send was not answered", attempt=attempt.id, error=str(error))
        failpoint("pay.send.after_effect")

    async def _earlier_are_dead(self, payout: Payout, report: RoundReport) -> bool:
        """A fresh invoice is a new payment: every earlier one must be dead, asked once more."""
        if not payout.tries:
            return True
        async with self._store.read() as tx:
            earlier = await payouts.dead_attempts(tx, payout.id)
        for attempt in earlier:
            outcome = await self._outcomes.check_dead(attempt, report)
            if not isinstance(outcome, Refused):
                await self._outcomes.postpone(
                    payout, "an earlier attempt is not finally dead", backoff_s(1)
                )
                return False
        return True


async def pay_until_quiet(payer: Payer, clock: Clock, rounds_max: int) -> list[RoundReport]:
    """Round after round until one changes nothing, `rounds_max` at most."""
    reports: list[RoundReport] = []
    for _ in range(rounds_max):
        reports.append(await payer.round())
        if not reports[-1].moved and not reports[-1].pending:
            break
        if not reports[-1].moved:
            await clock.sleep(0.2)
    return reports
