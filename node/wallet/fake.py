"""A rail in memory, whose receivers are as awkward as a script says. For tests of the flows.

It keeps what a real network would keep, apart from the node, so it is also the oracle: `received`
is what arrived, whatever the node believes. Like lnd it pays a reference once; like LNURL it gives
a fresh reference with each `prepare`, unless the target is a node key (66 hex digits), whose
reference is the payout's for life.

One step of a target's script is used for each new payment to it (a send of a reference that is
neither paid nor in flight); without a step it settles.

    settle           paid at once
    lose_answer      paid, and `send` raises
    lose_message     not paid, and `send` raises; the same message may be sent again
    late             paid, but the next check does not show it yet
    refuse:<reason>  refused
    hold             in flight until `release(target)` or `refuse(target)`
    limbo            in flight for ever, with nothing behind it

`script` takes also, for the next `prepare`: `quote:<reason>`, which raises QuoteRefused, and
`unreachable`, which raises RailUnavailable.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from node.clock import Clock, now_s
from node.errors import BadInput, QuoteRefused, RailUnavailable
from node.ids import PaymentHash, PayoutId, attempt_id
from node.money import UNITS_MAX, Amount, Asset
from node.settlement.attempt import Attempt
from node.settlement.payout import Payout
from node.settlement.rail import Capacity, Outcome, Pending, Refused, Settled

EXPIRY_S: Final = 3600
FEE: Final = 1000
"""Base units that each payment costs, or the fee limit if that is less."""
_STEPS: Final = re.compile(
    r"settle|lose_answer|lose_message|late|hold|limbo|unreachable|(refuse|quote):.+"
)
_NODE_KEY: Final = re.compile(r"0[23][0-9a-f]{64}")
_AT_PREPARE: Final = ("quote:", "unreachable")


class _State(StrEnum):
    PAID = "paid"
    LATE = "late"
    """Paid, and not shown yet."""
    REFUSED = "refused"
    HELD = "held"
    LIMBO = "limbo"


@dataclass(slots=True)
class _Payment:
    """What the network knows of one reference."""

    target: str
    units: int
    state: _State
    fee_units: int
    reason: str = ""


class FakeRail:
    """Implements `Rail`. Hand the same one to a restarted node: the network does not restart."""

    payouts_per_attempt_max: int = 1

    def __init__(
        self,
        clock: Clock,
        *,
        name: str = "fake",
        asset: Asset = Asset.SAT,
        attempts_in_flight_max: int = 32,
        spendable_units: int = UNITS_MAX // 2,
    ) -> None:
        self.name = name
        self.asset = asset
        self.attempts_in_flight_max = attempts_in_flight_max
        self.spendable_units = spendable_units
        self.ready = True
        self.received: dict[str, int] = defaultdict(int)
        """Base units that arrived, by target."""
        self.sends: list[str] = []
        """References in the order in which they were sent, each as often as it was."""
        self._clock = clock
        self._scripts: dict[str, deque[str]] = defaultdict(deque)
        self._payments: dict[str, _Payment] = {}

    def script(self, target: str, steps: Iterable[str]) -> None:
        """Add steps for this target. Raises BadInput for a step that is none."""
        for step in steps:
            if not _STEPS.fullmatch(step):
                raise BadInput(f"the fake rail has no step {step!r}")
            self._scripts[target].append(step)

    def release(self, target: str) -> None:
        """Let what is held for this target arrive."""
        for payment in self._held(target):
            self._pay(payment, _State.PAID)

    def refuse(self, target: str, reason: str = "the receiver refused") -> None:
        """Let what is held for this target fail."""
        for payment in self._held(target):
            payment.state, payment.reason = _State.REFUSED, reason

    def pay_after_all(self, reference: str) -> None:
        """Let a payment that was refused arrive: the network was wrong."""
        self._pay(self._payments[reference], _State.PAID)

    def reopen(self, reference: str) -> None:
        """Show a payment that was refused as open again, with nothing behind it."""
        self._payments[reference].state = _State.LIMBO

    async def capacity(self) -> Capacity:
        """`ready` and `spendable_units`, as the test sets them."""
        words = "the fake rail pays" if self.ready else "the fake rail is switched off"
        return Capacity(self.ready, Amount(max(0, self.spendable_units), self.asset), words)

    async def prepare(self, payouts: Sequence[Payout], number: int) -> Attempt:
        """A fresh reference, or the payout's own. Raises QuoteRefused, RailUnavailable."""
        (payout,) = payouts
        target = payout.target or ""
        if not target or payout.amount.asset is not self.asset:
            raise QuoteRefused("the payout has no target on this rail")
        step = self._next_step(target, preparing=True)
        if step == "unreachable":
            raise RailUnavailable("the fake rail is unreachable")
        if step.startswith("quote:"):
            raise QuoteRefused(step.removeprefix("quote:"))
        stable = _NODE_KEY.fullmatch(target) is not None
        name = f"{payout.id}/{target}" + ("" if stable else f"/{number}")
        preimage = hashlib.sha256(name.encode()).digest()
        reference = PaymentHash(hashlib.sha256(preimage).hexdigest())
        return Attempt(
            id=attempt_id(payout.id, reference),
            rail=self.name,
            number=number,
            payouts=(payout.id,),
            reference=reference,
            message=f"fake:{preimage.hex()}:{target}",
            amount=payout.amount,
            fee_limit=payout.fee_limit,
            expires_s=None if stable else now_s(self._clock) + EXPIRY_S,
            sender=self.name,
        )

    async def send(self, attempt: Attempt) -> None:
        """Pay it once, as its target's next step says."""
        if not self.ready:
            raise RailUnavailable("the fake rail is switched off")
        self.sends.append(attempt.reference)
        known = self._payments.get(attempt.reference)
        if known is not None and known.state is not _State.REFUSED:
            return
        if attempt.expires_s is not None and now_s(self._clock) > attempt.expires_s:
            return
        self._begin(attempt)

    async def check(self, attempt: Attempt) -> Mapping[PayoutId, Outcome]:
        """What the network shows."""
        if not self.ready:
            raise RailUnavailable("the fake rail is switched off")
        (payout,) = attempt.payouts
        return {payout: self._outcome(attempt)}

    def _begin(self, attempt: Attempt) -> None:
        _, _, target = attempt.message.split(":", 2)
        step = self._next_step(target, preparing=False)
        if step == "lose_message":
            raise RailUnavailable("the message was lost")
        units, fee = attempt.amount.units, min(FEE, attempt.fee_limit.units)
        payment = _Payment(target, units, _State.HELD, fee)
        self._payments[attempt.reference] = payment
        if step.startswith("refuse:"):
            payment.state, payment.reason = _State.REFUSED, step.removeprefix("refuse:")
        elif step == "limbo":
            payment.state = _State.LIMBO
        elif step != "hold":
            self._pay(payment, _State.LATE if step == "late" else _State.PAID)
        if step == "lose_answer":
            raise RailUnavailable("the answer was lost")

    def _outcome(self, attempt: Attempt) -> Outcome:
        payment = self._payments.get(attempt.reference)
        if payment is None:
            return self._missing(attempt)
        match payment.state:
            case _State.PAID:
                _, preimage, _ = attempt.message.split(":", 2)
                return Settled(attempt.amount, Amount(payment.fee_units, self.asset), preimage)
            case _State.LATE:
                payment.state = _State.PAID
                return Pending("not shown", send_again=True)
            case _State.REFUSED:
                return Refused(payment.reason)
            case _State.HELD:
                return Pending("in flight", seen=True)
            case _State.LIMBO:
                return Pending("open, and nothing behind it", seen=True, limbo=True)

    def _missing(self, attempt: Attempt) -> Outcome:
        if attempt.seen:
            return Pending("it was shown, and is not any more", seen=True, limbo=True)
        if attempt.expires_s is not None and now_s(self._clock) > attempt.expires_s:
            return Refused("it expired before it was paid")
        return Pending("not shown", send_again=True)

    def _pay(self, payment: _Payment, state: _State) -> None:
        payment.state = state
        self.received[payment.target] += payment.units
        self.spendable_units -= payment.units + payment.fee_units

    def _held(self, target: str) -> list[_Payment]:
        return [p for p in self._payments.values() if p.target == target and p.state is _State.HELD]

    def _next_step(self, target: str, *, preparing: bool) -> str:
        steps = self._scripts[target]
        if steps and steps[0].startswith(_AT_PREPARE) == preparing:
            return steps.popleft()
        return "settle"
