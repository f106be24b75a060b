"""Pay what is due, round by round: settle what is open, then send what is due.

Recovery is not another path. After a crash the first round finds the attempts that were stored,
asks the rail about each, and goes on. One payer per rail holds a lease; its epoch is demanded in
each transaction that leads to a send. What is written before and after each step:

    prepare          nothing moves                    an invoice, judged; many at once
    store            attempt SENT, payout IN_FLIGHT   ◀ from here on it counts as sent
    send             then the network                 and again, the same message, when it was lost
    check            settle | refuse | wait           by `flows/outcome.py`

One payout must not stop the others. What a receiver or the network does to one stays with that one:
it waits, and is HELD when a fault of our own meets it again and again. What concerns all (the lease
is lost, the books contradict themselves, lnd denies the macaroon, the database is away) ends the
round: no worker begins another payout, each finishes the step it is in, and then it is raised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Final

import structlog

from node.clock import Clock, now_s
from node.errors import (
    ConfigError,
    Conflict,
    LeaseLost,
    QuoteRefused,
    RailError,
    RailUnavailable,
)
from node.failpoints import failpoint
from node.flows.hold import hold_and_release
from node.flows.intents import Intents
from node.flows.lease import renew_lease, take_lease
from node.flows.outcome import Outcomes
from node.flows.places import Places
from node.flows.round_report import RoundReport
from node.flows.rules import Rules
from node.flows.work import work_off
from node.settlement.attempt import Attempt, AttemptState, sent
from node.settlement.batch import choose, room_left
from node.settlement.payout import Payout
from node.settlement.rail import Pending, Rail
from node.settlement.retry import backoff_s
from node.store import attempts, deposits, leases, payouts
from node.store.engine import Store, Tx
from node.store.leases import Lease

PAYOUTS_A_ROUND: Final = 5000
PREPARED_AT_ONCE: Final = 256
"""More than may be in flight, so that servers that never answer delay nobody (places.py)."""
SEND_MARGIN_S: Final = 60
"""An invoice that expires sooner is not sent any more."""
SEND_WITHIN_S: Final = 60
"""A lease must last this much longer than now when something is sent: two deadlines of the rail."""
_SENDABLE: Final = frozenset({AttemptState.READY, AttemptState.SENT})

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Stored:
    """An attempt that is on disk as sent, and until when the lease lets it be sent."""

    attempt: Attempt
    until_us: int


class Payer:
    """Pays on one rail, one round at a time. `holder` names this process in the lease."""

    def __init__(
        self, store: Store, clock: Clock, rules: Rules, rail: Rail, holder: str,
        intents: Intents | None = None,
    ) -> None:  # fmt: skip
        self._store = store
        self._clock = clock
        self._rules = rules
        self._rail = rail
        self._holder = holder
        self._intents = intents
        self._outcomes = Outcomes(store, clock, rail)

    async def round(self) -> RoundReport:
        """One round. Raises LeaseLost while another process pays, RailUnavailable, ConfigError."""
        report = RoundReport()
        lease = await take_lease(self._store, self._clock, self._rail.name, self._holder)
        await self._settle_open(report, lease)
        async with self._store.read() as tx:
            stopped = await leases.stopped(tx, self._rail.name)
        if stopped is not None:
            report.say(f"nothing is sent on {self._rail.name}: {stopped}")
            return report
        await hold_and_release(self._store, self._clock, self._rules)
        await self._send_due(report, lease)
        return report

    async def settle_only(self) -> RoundReport:
        """Ask about what is open, and send nothing. Needs no lease."""
        report = RoundReport()
        await self._settle_open(report, None)
        return report

    async def _settle_open(self, report: RoundReport, lease: Lease | None) -> None:
        async with self._store.read() as tx:
            live = await attempts.live(tx, self._rail.name, PAYOUTS_A_ROUND)

        async def look(attempt: Attempt) -> bool:
            try:
                await self._look(attempt, report, lease)
            except RailUnavailable as error:
                report.say(str(error))
            return True

        places = min(self._rail.attempts_in_flight_max, len(live))
        await work_off(live, look, places=places, name="look")

    async def _look(self, attempt: Attempt, report: RoundReport, lease: Lease | None) -> None:
        """Ask about one attempt, and book the answer; with a lease, send it again if it is safe."""
        outcome = await self._outcomes.check(attempt, report)
        again = isinstance(outcome, Pending) and outcome.send_again and attempt.state in _SENDABLE
        if not again or lease is None:
            return
        if attempt.expires_s is not None and now_s(self._clock) > attempt.expires_s - SEND_MARGIN_S:
            return
        async with self._store.read() as tx:
            if await leases.stopped(tx, self._rail.name) is not None:
                return
        await self._send_again(attempt, lease)
        report.sent += 1

    async def _send_due(self, report: RoundReport, lease: Lease) -> None:
        capacity = await self._rail.capacity()
        if not capacity.ready:
            report.say(f"{self._rail.name} can't send: {capacity.words}")
            return
        async with self._store.read() as tx:
            due = await payouts.due(tx, self._rail.asset, now_s(self._clock), PAYOUTS_A_ROUND)
            busy = await payouts.busy_receivers(tx, self._rail.asset)
            live = await attempts.live(tx, self._rail.name, PAYOUTS_A_ROUND)
            buried = await attempts.dead(tx, self._rail.name)
            numbers = count(await attempts.next_number(tx, self._rail.name))
        chosen = choose(due, busy=busy, places=PAYOUTS_A_ROUND, spendable=capacity.spendable)
        if chosen.short:
            report.say(chosen.short_words)

        most = self._rail.attempts_in_flight_max
        room = room_left(live, now_s(self._clock), most, capacity.spendable)
        if room.words:
            report.say(room.words)
        places = Places(room.places)

        async def pay(payout: Payout) -> bool:
            """Pay it; False when there is nothing more to do: no place, or no rail."""
            try:
                earlier = [attempt for attempt in buried if payout.id in attempt.payouts]
                if await self._all_dead(payout, earlier, report):
                    await self._pay(payout, next(numbers), lease, report, places)
            except RailUnavailable as error:
                report.say(str(error))
                return False
            return not places.closed

        if not places.closed:
            at_once = min(PREPARED_AT_ONCE, len(chosen.chosen))
            await work_off(chosen.chosen, pay, places=at_once, name="pay")

    async def _pay(
        self, payout: Payout, number: int, lease: Lease, report: RoundReport, places: Places
    ) -> None:
        """Prepare one payout, and send it once there is a place. Raises RailUnavailable."""
        prepared = await self._prepare(payout, number, report)
        if prepared is None:
            return
        async with places.take() as place:
            if place is not None:
                place.kept = await self._send_prepared(payout, prepared, lease, report)

    async def _send_prepared(
        self, payout: Payout, prepared: Attempt, lease: Lease, report: RoundReport
    ) -> bool:
        """Store and send it; whether it is open still. Raises RailUnavailable."""
        stored = await self._store_attempt(payout, prepared, lease, report)
        if stored is None:
            return False
        await self._dispatch(payout, stored.attempt, stored.until_us)
        report.sent += 1
        return isinstance(await self._outcomes.check(stored.attempt, report), Pending)

    async def _prepare(self, payout: Payout, number: int, report: RoundReport) -> Attempt | None:
        """What would be sent; None when the payout must wait. Raises RailUnavailable."""
        try:
            return await self._rail.prepare([payout], number)
        except QuoteRefused as error:
            await self._outcomes.unpayable(payout, str(error))
        except (RailError, ConfigError):
            raise
        except Exception as error:  # noqa: BLE001  whatever it is, it must not stop the others
            _log.exception("a fault of ours in preparing", payout=payout.id)
            await self._outcomes.faulted(payout, error)
        report.postponed += 1
        return None

    async def _store_attempt(
        self, payout: Payout, attempt: Attempt, lease: Lease, report: RoundReport
    ) -> _Stored | None:
        """Store the attempt as sent, or revive the same hash's earlier one.

        None when sending was stopped meanwhile, the payout is no longer what was chosen, or the
        hash has been used elsewhere.
        """
        try:
            async with self._store.write("pay.store", short=True) as tx:
                until_us = await renew_lease(tx, self._clock, lease)
                if await leases.stopped(tx, self._rail.name) is not None:
                    return None
                if not await payouts.take(tx, payout):
                    return None
                stored = await self._keep(tx, attempt, lease)
        except Conflict as error:
            await self._outcomes.unpayable(payout, str(error))
            report.postponed += 1
            return None
        return _Stored(stored, until_us)

    async def _keep(self, tx: Tx, attempt: Attempt, lease: Lease) -> Attempt:
        """The attempt on disk, as sent. Raises Conflict when its hash was used elsewhere."""
        at_s, used_by = now_s(self._clock), f"attempt:{attempt.id}"
        if not await deposits.use_hash_first(tx, attempt.reference, used_by):
            before = await attempts.get(tx, attempt.id)
            if before is None:
                raise Conflict(f"the payment hash {attempt.reference} was used before")
            await attempts.revive(tx, attempt)
            revived = replace(attempt, number=before.number, seen=before.seen)
            return await attempts.send(tx, revived, lease.epoch, at_s)
        stored = sent(attempt, at_s)
        await attempts.add(tx, stored, lease.epoch, self._clock.now_us())
        return stored

    async def _send_again(self, attempt: Attempt, lease: Lease) -> None:
        """Say that it is sent once more, and send it: the same message, under the same hash."""
        async with self._store.write("pay.send") as tx:
            until_us = await renew_lease(tx, self._clock, lease)
            if await leases.stopped(tx, self._rail.name) is not None:
                return
            attempt = await attempts.send(tx, attempt, lease.epoch, now_s(self._clock))
            payout = await payouts.get(tx, attempt.payouts[0])
        assert payout is not None, "its leg refers to it"
        await self._dispatch(payout, attempt, until_us)

    async def _dispatch(self, payout: Payout, attempt: Attempt, until_us: int) -> None:
        """Give it to the network. Whatever comes back is no verdict.

        Raises LeaseLost; RailUnavailable when the journal can't be written, and nothing was sent.
        """
        if self._intents is not None:
            await self._intents.note(payout, attempt, now_s(self._clock))
        if self._clock.now_us() > until_us - SEND_WITHIN_S * 1_000_000:
            raise LeaseLost("this process stood still too long: it sends nothing on an old lease")
        try:
            await self._rail.send(attempt)
        except RailError as error:
            _log.info("send was not answered", attempt=attempt.id, error=str(error))
        except ConfigError:
            raise
        except Exception:  # noqa: BLE001  no verdict, as everything else that comes back
            _log.exception("a fault of ours in sending", attempt=attempt.id)
        failpoint("pay.send.after_effect")

    async def _all_dead(
        self, payout: Payout, earlier: Sequence[Attempt], report: RoundReport
    ) -> bool:
        """A fresh invoice is a new payment: every earlier one must be dead, asked once more.

        All are asked each time, so that the two reads that a FAILED needs run side by side.
        """
        if not earlier or await self._outcomes.are_dead(earlier, report):
            return True
        words = "an earlier attempt is not finally dead"
        await self._outcomes.postpone(payout, words, backoff_s(1), tried=False)
        report.postponed += 1
        return False


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
