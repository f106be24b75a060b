"""What the rail proved about an attempt, booked. The only place where a payout becomes PAID.

    Settled   attempt SETTLED, payout PAID, entry     one transaction
    Refused   attempt DEAD, payout DUE later | HELD | RETURNED (a withdrawal)
    Pending   seen is kept; LIMBO when waiting will not help

A payment that was called dead and succeeds after all is accepted: it pays its payout, if that is
not paid already; otherwise it goes to `suspense`, nothing more is sent, and a person is called.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

import structlog

from node.clock import Clock, now_s
from node.errors import CorruptBooks, NodeError
from node.ids import PayoutId
from node.ledger import bookings
from node.money import Amount
from node.settlement.attempt import Attempt, AttemptEvent, AttemptState
from node.settlement.payout import HeldReason, Payout, PayoutEvent, PayoutKind, PayoutState
from node.settlement.rail import Outcome, Pending, Rail, Refused, Settled
from node.settlement.retry import backoff_s, gives_up
from node.store import attempts, journal, leases, limbo_approvals, members, payouts
from node.store.engine import Store, Tx

FAULTS_MAX: Final = 5
"""Tries after which a payout that a fault of the node meets is held."""

_log = structlog.get_logger()


class Tally(Protocol):
    """Counts what became of attempts."""

    settled: int
    refused: int
    pending: int


class Outcomes:
    """Asks one rail, and books what it says."""

    def __init__(self, store: Store, clock: Clock, rail: Rail) -> None:
        self._store = store
        self._clock = clock
        self._rail = rail

    async def check(self, attempt: Attempt, tally: Tally) -> Outcome:
        """Ask about a live attempt and book the answer. Raises RailUnavailable."""
        payout_id, outcome = await self._ask(attempt)
        match outcome:
            case Settled():
                await self._settle(attempt, payout_id, outcome)
                tally.settled += 1
            case Refused() if attempt.state is AttemptState.LIMBO:
                words = "it can be judged again"
                await self._keep(attempt, Pending(words, seen=attempt.seen, send_again=True))
                tally.pending += 1
            case Refused():
                await self._refuse(attempt, payout_id, outcome)
                tally.refused += 1
            case Pending():
                await self._keep(attempt, outcome)
                tally.pending += 1
        return outcome

    async def check_dead(self, attempt: Attempt, tally: Tally) -> Outcome:
        """Ask about a dead attempt again; one that has paid after all is booked."""
        payout_id, outcome = await self._ask(attempt)
        if isinstance(outcome, Settled):
            _log.warning("a dead attempt has paid", attempt=attempt.id, payout=payout_id)
            await self._settle(attempt, payout_id, outcome)
            tally.settled += 1
        return outcome

    async def proved_dead(self, tx: Tx, attempt: Attempt, reason: str, *, retry: bool) -> bool:
        """Two people have proved that it will never pay; False when it is in limbo no more.

        `retry`: its payout may be tried under another payment hash.
        """
        await journal.lock_head(tx, self._rail.asset)
        (payout_id,) = attempt.payouts
        fresh, payout = await _fresh(tx, attempt, payout_id)
        if fresh.state is not AttemptState.LIMBO or payout.state is not PayoutState.IN_FLIGHT:
            return False
        await self._bury(tx, fresh, payout, Refused(reason, retry=retry), AttemptEvent.PROVED)
        return True

    async def proved_paid(self, attempt: Attempt, fee: Amount, preimage: str) -> None:
        """The receiver has shown the preimage: it has arrived, whatever lnd says."""
        (payout_id,) = attempt.payouts
        await self._settle(attempt, payout_id, Settled(attempt.amount, fee, preimage))

    async def unpayable(self, payout: Payout, reason: str) -> None:
        """It could not even be prepared: a withdrawal goes back, a payout waits."""
        gives_up_now = gives_up(payout.tries + 1)
        await self._unprepared(payout, reason, HeldReason.NO_ROUTE if gives_up_now else None)

    async def faulted(self, payout: Payout, error: Exception) -> None:
        """A fault of the node met it before anything was stored; it must not meet it for ever."""
        reason = f"a fault of the node: {type(error).__name__}"
        held = HeldReason.FAULT if payout.tries + 1 >= FAULTS_MAX else None
        await self._unprepared(payout, reason, held)

    async def postpone(
        self, payout: Payout, reason: str, wait_s: int, *, tried: bool = True
    ) -> None:
        """Try a payout that is due later."""
        async with self._store.write("pay.postpone") as tx:
            next_try_s = now_s(self._clock) + wait_s
            await payouts.postpone(tx, payout, reason, next_try_s, tried=tried)

    async def _unprepared(self, payout: Payout, reason: str, held: HeldReason | None) -> None:
        async with self._store.write("pay.unpayable") as tx:
            await journal.lock_head(tx, self._rail.asset)
            if await payouts.get(tx, payout.id) != payout:
                return
            if payout.kind is PayoutKind.WITHDRAWAL:
                await self._return(tx, payout, reason)
            elif held is not None:
                await payouts.move(tx, payout, PayoutEvent.HELD, reason=held)
            else:
                next_try_s = now_s(self._clock) + backoff_s(payout.tries + 1)
                await payouts.postpone(tx, payout, reason, next_try_s)

    async def _ask(self, attempt: Attempt) -> tuple[PayoutId, Outcome]:
        """What the rail says. A fault of ours in asking is no answer, and no other's trouble."""
        (payout_id,) = attempt.payouts
        try:
            return payout_id, (await self._rail.check(attempt))[payout_id]
        except NodeError:
            raise
        except Exception:  # noqa: BLE001  whatever it is, it must not stop the others
            _log.exception("a fault of ours in asking", attempt=attempt.id)
            return payout_id, Pending("a fault of the node, in asking: see its log")

    async def _settle(self, attempt: Attempt, payout_id: PayoutId, outcome: Settled) -> None:
        async with self._store.write("pay.settle", short=True) as tx:
            await journal.lock_head(tx, self._rail.asset)
            attempt, payout = await _fresh(tx, attempt, payout_id)
            if attempt.state is AttemptState.SETTLED:
                return
            if outcome.paid != payout.amount:
                raise CorruptBooks(f"{payout_id}: {outcome.paid} was paid, not {payout.amount}")
            if attempt.state is AttemptState.DEAD and payout.state in _ANOTHER_WAY:
                await attempts.set_proof(tx, attempt.id, outcome.fee, outcome.proof)
                await self._unexplained(tx, attempt, outcome)
            else:
                await self._paid(tx, attempt, payout, outcome)
                if attempt.state is AttemptState.DEAD:
                    await self._paid_once(tx, attempt, outcome)

    async def _paid(self, tx: Tx, attempt: Attempt, payout: Payout, outcome: Settled) -> None:
        now_us = self._clock.now_us()
        await attempts.settle(tx, attempt, outcome.fee, outcome.proof)
        await payouts.pay(tx, payout, outcome.fee, outcome.proof, now_us)
        if payout.kind is PayoutKind.WITHDRAWAL:
            entry = bookings.settle_withdrawal(
                payout.id, payout.member, payout.amount, outcome.fee,
                payout.amount + payout.fee_limit,
            )  # fmt: skip
        else:
            entry = bookings.settle_payout(payout.id, payout.amount, outcome.fee, payout.month)
        await journal.append(tx, entry, now_us)

    async def _unexplained(self, tx: Tx, attempt: Attempt, outcome: Settled) -> None:
        """Paid twice on the network: booked where everybody sees it, and nothing more is sent."""
        now_us = self._clock.now_us()
        entry = bookings.unexplained(attempt.id, outcome.paid, outcome.fee)
        if await journal.append(tx, entry, now_us):
            words = f"attempt {attempt.id} was dead and has paid after all: see `audit`"
            await leases.stop(tx, self._rail.name, words, now_us)

    async def _paid_once(self, tx: Tx, attempt: Attempt, outcome: Settled) -> None:
        """What it was paid instead has been refused since: then it went out once, and for this."""
        before = bookings.unexplained(attempt.id, outcome.paid, outcome.fee)
        if await journal.has(tx, before.id):
            after = bookings.paid_once(attempt.id, outcome.paid, outcome.fee)
            await journal.append(tx, after, self._clock.now_us())

    async def are_dead(self, buried: Sequence[Attempt], tally: Tally) -> bool:
        """Whether each of these is dead for good, asked once more.

        What two people have proved dead (`limbo.py`) is, although lnd keeps it open. Another one
        that is open, with nothing behind it, is in limbo from now on: its payout is not due then.
        """
        outcomes = [await self.check_dead(attempt, tally) for attempt in buried]
        async with self._store.read() as tx:
            proved = await limbo_approvals.proved(tx, [attempt.id for attempt in buried])
        doubtful = [
            (attempt, outcome)
            for attempt, outcome in zip(buried, outcomes, strict=True)
            if not isinstance(outcome, Refused)
            and not (isinstance(outcome, Pending) and attempt.id in proved)
        ]
        for attempt, outcome in doubtful:
            if isinstance(outcome, Pending) and outcome.limbo:
                await self._lose_again(attempt, outcome.reason)
        return not doubtful

    async def _lose_again(self, attempt: Attempt, reason: str) -> None:
        (payout_id,) = attempt.payouts
        async with self._store.write("pay.note") as tx:
            fresh, payout = await _fresh(tx, attempt, payout_id)
            if fresh.state is not AttemptState.DEAD or payout.state is not PayoutState.DUE:
                return  # it has moved on, or another of its attempts is in limbo
            if await payouts.take(tx, payout):
                await attempts.lose_again(tx, fresh, reason)
                _log.warning("a dead attempt is in limbo", attempt=attempt.id, words=reason)

    async def _refuse(self, attempt: Attempt, payout_id: PayoutId, outcome: Refused) -> None:
        async with self._store.write("pay.refuse") as tx:
            await journal.lock_head(tx, self._rail.asset)
            fresh, payout = await _fresh(tx, attempt, payout_id)
            if payout.state is not PayoutState.IN_FLIGHT or fresh != attempt:
                return  # it has moved on since it was asked about
            await self._bury(tx, attempt, payout, outcome, AttemptEvent.REFUSED)

    async def _bury(
        self, tx: Tx, attempt: Attempt, payout: Payout, outcome: Refused, event: AttemptEvent
    ) -> None:
        """The attempt is dead: its payout is due again, held, or goes back."""
        await attempts.move(tx, attempt, event, reason=outcome.reason)
        tries = payout.tries + 1
        due = await self._due_again(tx, payout, outcome.reason, tries)
        if payout.kind is PayoutKind.WITHDRAWAL:
            await self._return(tx, due, outcome.reason)
        elif gives_up(tries) or not outcome.retry:
            await payouts.move(tx, due, PayoutEvent.HELD, reason=HeldReason.NO_ROUTE)

    async def _due_again(self, tx: Tx, payout: Payout, reason: str, tries: int) -> Payout:
        next_try_s = now_s(self._clock) + backoff_s(tries)
        await payouts.move(tx, payout, PayoutEvent.REFUSED, reason=reason, next_try_s=next_try_s)
        due = await payouts.get(tx, payout.id)
        assert due is not None, "it was moved above"
        return due

    async def _return(self, tx: Tx, payout: Payout, reason: str) -> None:
        now_us = self._clock.now_us()
        await payouts.move(tx, payout, PayoutEvent.RETURNED, reason=reason)
        reserved = payout.amount + payout.fee_limit
        entry = bookings.return_withdrawal(payout.id, payout.member, reserved)
        await journal.append(tx, entry, now_us)
        words = f"the withdrawal of {payout.amount} could not be paid and is back: {reason}"
        await members.notify(tx, payout.member, "withdrawal", payout.id, words, now_us)

    async def _keep(self, attempt: Attempt, outcome: Pending) -> None:
        """Note what was seen; into limbo, or out of it: then it is asked and sent as any other."""
        lost = outcome.limbo and attempt.state is AttemptState.SENT
        shown = outcome.seen or (outcome.send_again and not attempt.seen)
        found = attempt.state is AttemptState.LIMBO and shown and not outcome.limbo
        if not (lost or found or (outcome.seen and not attempt.seen)):
            return
        async with self._store.write("pay.note") as tx:
            if await attempts.get(tx, attempt.id) != attempt:
                return
            if outcome.seen:
                await attempts.set_seen(tx, attempt.id)
            if lost:
                await attempts.move(tx, attempt, AttemptEvent.LOST, reason=outcome.reason)
                _log.warning("an attempt is in limbo", attempt=attempt.id, words=outcome.reason)
            if found:
                await attempts.move(tx, attempt, AttemptEvent.FOUND, reason=outcome.reason)


_ANOTHER_WAY = frozenset({PayoutState.PAID, PayoutState.IN_FLIGHT, PayoutState.RETURNED})
"""States in which a payout is paid, or may be, by another attempt than one that is dead."""


async def _fresh(tx: Tx, attempt: Attempt, payout_id: PayoutId) -> tuple[Attempt, Payout]:
    """The attempt and its payout as they stand, locked."""
    found, payout = await attempts.get(tx, attempt.id), await payouts.get(tx, payout_id)
    if found is None or payout is None:
        raise CorruptBooks(f"attempt {attempt.id} or payout {payout_id} has vanished")
    return found, payout
