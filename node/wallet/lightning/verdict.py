"""What became of a Lightning payment: the only place that concludes anything.

Asked are TrackPaymentV2, ListPayments, the channels and lnd's identity; never `failure_reason`. Of
what SendPaymentV2 said only one thing counts: a preimage that is the hash's, because that proves
itself, whoever says it. The facts behind each row were measured on lnd 0.21.1.

    lnd says        and                                              then
    SUCCEEDED       sha256(preimage) is the hash                     Settled
                    it is not                                        Pending, limbo
    FAILED          one read, or two less than 30 s apart            Pending
                    an HTLC is out                                   Pending
                    two reads 30 s apart, none out                   Refused
    NOT_FOUND       seen before, or another lnd answers              Pending, limbo
                    its invoice is valid, or it needs none           Pending, send again
                    never sent, its invoice expired                  Refused
                    expired 15 min ago by both calendars             Refused
                    expired just now                                 Pending
    anything else   for an hour, and no HTLC on any channel          Pending, limbo
                    otherwise                                        Pending

The first read of a FAILED is kept in memory: after a restart the 30 s begin anew, which is safe.
Any other status in between, and every new send, forgets it; and an attempt that was called dead is
read twice again before another may be made. A verdict forgets nothing: of two dead attempts that
were first asked at different times, each would be unproved whenever the other one is proved.
"""

from __future__ import annotations

import hashlib
from typing import Final

from node.clock import Clock, now_s
from node.money import Amount
from node.settlement.attempt import Attempt, AttemptState
from node.settlement.rail import Outcome, Pending, Refused, Settled
from node.wallet.lightning.answers import PaymentStatus, PaymentView
from node.wallet.lightning.lnd import Lnd

FAILED_STABLE_S: Final = 30
"""How far apart two reads of FAILED must be."""
EXPIRED_MARGIN_S: Final = 15 * 60
"""How long after its expiry an invoice that lnd does not know will never be paid."""
PHANTOM_AFTER_S: Final = 3600
"""How long a payment may be open without an HTLC before a person is called."""
LISTED_BEFORE_S: Final = 2 * 3600
"""How long before the send ListPayments is searched, for clocks that differ."""


class Verdicts:
    """Judges attempts of one lnd. One per rail, because it remembers first reads."""

    def __init__(self, lnd: Lnd, clock: Clock) -> None:
        self._lnd = lnd
        self._clock = clock
        self._failed_at_s: dict[str, tuple[tuple[bool, int | None], int]] = {}
        """The first read of a FAILED by payment hash, and what it was read of: see `_failed`."""
        self._heard: dict[str, PaymentView] = {}

    def forget(self, payment_hash: str) -> None:
        """Start anew: it is sent again, or shows something else."""
        self._failed_at_s.pop(payment_hash, None)

    def heard(self, payment_hash: str, view: PaymentView) -> None:
        """What a send has answered; it is looked at once, for its preimage."""
        if view.status is PaymentStatus.SUCCEEDED:
            self._heard[payment_hash] = view

    async def judge(self, attempt: Attempt) -> Outcome:
        """What lnd has proved by now. Raises RailUnavailable, ConfigError."""
        if (heard := self._heard.pop(attempt.reference, None)) is not None:
            outcome = _succeeded(attempt, heard)
            if isinstance(outcome, Settled):
                self.forget(attempt.reference)
                return outcome
        view = await self._lnd.track(attempt.reference)
        if view is None:
            self.forget(attempt.reference)
            return await self._missing(attempt)
        match view.status:
            case PaymentStatus.SUCCEEDED:
                self.forget(attempt.reference)
                return _succeeded(attempt, view)
            case PaymentStatus.FAILED:
                return await self._failed(attempt, view)
            case PaymentStatus.IN_FLIGHT | PaymentStatus.INITIATED | PaymentStatus.UNKNOWN:
                self.forget(attempt.reference)
                return await self._open(attempt, view)

    async def _missing(self, attempt: Attempt) -> Outcome:
        if attempt.seen:
            return Pending("lnd has shown this payment and no longer does", seen=True, limbo=True)
        node = await self._lnd.read_node()
        if node.pubkey != attempt.sender:
            return Pending(_another_lnd(attempt, node.pubkey), limbo=True)
        if attempt.expires_s is None or now_s(self._clock) <= attempt.expires_s:
            return Pending("lnd does not show this payment", send_again=True)
        if attempt.sent_s is None:
            return Refused("its invoice expired before it was sent")
        past_s = min(now_s(self._clock), node.best_header_s) - attempt.expires_s
        return await self._expired(attempt, attempt.sent_s, past_s)

    async def _expired(self, attempt: Attempt, sent_s: int, past_s: int) -> Outcome:
        if past_s <= EXPIRED_MARGIN_S:
            return Pending("its invoice has expired; lnd's calendar is not yet past it")
        if await self._listed(attempt, sent_s):
            return Pending("lnd lists this payment but can't be asked about it", seen=True)
        return Refused("its invoice expired before lnd began to pay it")

    async def _failed(self, attempt: Attempt, view: PaymentView) -> Outcome:
        node = await self._lnd.read_node()
        if node.pubkey != attempt.sender:
            return Pending(_another_lnd(attempt, node.pubkey), seen=True, limbo=True)
        if view.htlcs_in_flight or await self._lnd.hash_on_a_channel(attempt.reference):
            self.forget(attempt.reference)
            return Pending("lnd says failed, but an HTLC is still out", seen=True)
        at_s = now_s(self._clock)
        read = (attempt.state is AttemptState.DEAD, attempt.sent_s)
        before, first_s = self._failed_at_s.get(attempt.reference, (None, at_s))
        if before != read:
            first_s = at_s
            self._failed_at_s[attempt.reference] = (read, first_s)
        if at_s - first_s < FAILED_STABLE_S:
            return Pending("lnd says failed; it is asked again before that is believed", seen=True)
        return Refused(view.failure_reason or "lnd gives no reason")

    async def _open(self, attempt: Attempt, view: PaymentView) -> Outcome:
        # What was first sent an hour ago, to an lnd that was away, may have begun just now.
        since_s = max(view.created_s, attempt.sent_s or 0)
        if now_s(self._clock) - since_s <= PHANTOM_AFTER_S:
            return Pending("in flight", seen=True)
        if await self._lnd.hash_on_a_channel(attempt.reference):
            return Pending("in flight for more than an hour", seen=True)
        words = "lnd keeps it open, and no channel holds anything for it"
        return Pending(words, seen=True, limbo=True)

    async def _listed(self, attempt: Attempt, sent_s: int) -> bool:
        since_s = max(0, sent_s - LISTED_BEFORE_S)
        async for view in self._lnd.list_payments(since_s=since_s):
            if view.payment_hash == attempt.reference:
                return True
        return False


def _succeeded(attempt: Attempt, view: PaymentView) -> Outcome:
    proof = hashlib.sha256(bytes.fromhex(view.preimage)).hexdigest()
    if proof != attempt.reference:
        words = "lnd says succeeded, with a preimage that is not the hash's"
        return Pending(words, seen=True, limbo=True)
    if view.value_msat != attempt.amount.units:
        words = f"lnd paid {view.value_msat} msat under this hash"
        return Pending(words, seen=True, limbo=True)
    return Settled(attempt.amount, Amount(view.fee_msat), view.preimage)


def _another_lnd(attempt: Attempt, pubkey: str) -> str:
    return f"it was sent by lnd {attempt.sender[:12]}…, and {pubkey[:12]}… is connected"
