"""What every rail promises: one suite, run on the fake, the simulated lnd and real networks.

A rail's tests subclass `RailSuite` and bring a fixture `stage`: the rail, its clock, and a way to
say what goes wrong next. The oracle is `received_units`, read at the receiver, never at the payer.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Protocol

import pytest

from node.clock import ManualClock, now_s
from node.errors import QuoteRefused, RailError, RailUnavailable
from node.ids import MemberId, payout_id
from node.money import Amount, sats
from node.month import Month
from node.settlement.attempt import Attempt
from node.settlement.fees import payout_fee_limit
from node.settlement.payout import Payout, PayoutKind
from node.settlement.rail import Outcome, Pending, Rail, Refused, Settled

CHECKS_MAX = 400
MONTH = Month.parse("2026-11")


class Stage(Protocol):
    """One rail with a receiver behind it."""

    clock: ManualClock

    @property
    def rail(self) -> Rail:
        """The rail as it runs now."""

    async def target(self, amount: Amount) -> str:
        """Where this amount can be paid."""

    def next(self, step: str) -> None:
        """What happens to the next payment: a step of the fake's script."""

    def release(self, attempt: Attempt) -> None:
        """Let a held payment arrive."""

    def cut(self, cut: bool) -> None:
        """Make the network unreachable, or reachable again."""

    def restart(self) -> None:
        """Replace the rail by one that remembers nothing."""

    def received_units(self) -> int:
        """What has arrived at the receiver in all."""


@dataclass
class Flow:
    """Keeps an attempt as the flows keep it: stored, marked as sent, marked as seen."""

    stage: Stage
    attempt: Attempt
    outcomes: list[Outcome] = field(default_factory=list)

    async def send(self):
        self.attempt = replace(self.attempt, sent_s=now_s(self.stage.clock))
        with suppress(RailError):
            await self.stage.rail.send(self.attempt)

    async def check(self):
        (outcome,) = (await self.stage.rail.check(self.attempt)).values()
        if isinstance(outcome, Pending) and outcome.seen:
            self.attempt = replace(self.attempt, seen=True)
        self.outcomes.append(outcome)
        return outcome

    async def until(self, fits):
        """Check again and again, a second apart by the rail's clock."""
        for _ in range(CHECKS_MAX):
            outcome = await self.check()
            if fits(outcome):
                return outcome
            await self.stage.clock.sleep(1)
        raise AssertionError(f"still {self.outcomes[-1]}")

    async def verdict(self):
        return await self.until(lambda outcome: not isinstance(outcome, Pending))


async def make_payout(stage, number=1, amount=None):
    amount = amount or sats(21)
    return Payout(
        id=payout_id(MONTH, MemberId(number), amount.asset),
        kind=PayoutKind.CREATOR,
        member=MemberId(number),
        amount=amount,
        fee_limit=payout_fee_limit(amount),
        target=await stage.target(amount),
        month=MONTH,
    )


async def prepare(stage, number=1, amount=None):
    payout = await make_payout(stage, number, amount)
    return Flow(stage, await stage.rail.prepare([payout], number))


class RailSuite:
    """The promises."""

    async def test_preparing_moves_nothing(self, stage):
        payout = await make_payout(stage)
        attempt = await stage.rail.prepare([payout], 7)
        assert attempt.payouts == (payout.id,)
        assert (attempt.amount, attempt.fee_limit) == (payout.amount, payout.fee_limit)
        assert (attempt.rail, attempt.number) == (stage.rail.name, 7)
        assert stage.received_units() == 0

    async def test_a_payout_arrives_whole_and_is_proved(self, stage):
        flow = await prepare(stage)
        await flow.send()
        settled = await flow.verdict()
        assert isinstance(settled, Settled)
        assert settled.paid == sats(21)
        assert settled.fee <= flow.attempt.fee_limit
        assert settled.proof
        assert stage.received_units() == 21_000

    async def test_sending_again_never_pays_twice(self, stage):
        flow = await prepare(stage)
        await flow.send()
        await flow.send()
        assert isinstance(await flow.verdict(), Settled)
        await flow.send()
        assert isinstance(await flow.verdict(), Settled)
        assert stage.received_units() == 21_000

    async def test_a_lost_answer_never_pays_twice(self, stage):
        stage.next("lose_answer")
        flow = await prepare(stage)
        await flow.send()
        await flow.send()
        assert isinstance(await flow.verdict(), Settled)
        assert stage.received_units() == 21_000

    async def test_a_lost_message_is_sent_again_and_arrives_once(self, stage):
        stage.next("lose_message")
        flow = await prepare(stage)
        await flow.send()
        outcome = await flow.check()
        assert isinstance(outcome, Pending)
        assert outcome.send_again
        assert stage.received_units() == 0
        await flow.send()
        assert isinstance(await flow.verdict(), Settled)
        assert stage.received_units() == 21_000

    async def test_a_payment_that_is_not_shown_yet_is_not_refused(self, stage):
        stage.next("late")
        flow = await prepare(stage)
        await flow.send()
        outcome = await flow.check()
        assert isinstance(outcome, Pending)
        assert outcome.send_again
        await flow.send()
        assert isinstance(await flow.verdict(), Settled)
        assert stage.received_units() == 21_000

    async def test_a_refusal_is_proved_and_can_be_tried_again(self, stage):
        stage.next("refuse:no route")
        flow = await prepare(stage)
        await flow.send()
        refused = await flow.verdict()
        assert isinstance(refused, Refused)
        assert refused.retry
        assert stage.received_units() == 0
        await flow.send()
        assert isinstance(await flow.verdict(), Settled)
        assert stage.received_units() == 21_000

    async def test_a_held_payment_stays_open_until_it_arrives(self, stage):
        stage.next("hold")
        flow = await prepare(stage)
        await flow.send()
        await flow.until(lambda outcome: isinstance(outcome, Pending) and outcome.seen)
        stage.clock.advance(2 * 3600)
        outcome = await flow.check()
        assert isinstance(outcome, Pending)
        assert not outcome.limbo
        assert not outcome.send_again
        stage.release(flow.attempt)
        assert isinstance(await flow.verdict(), Settled)
        assert stage.received_units() == 21_000

    async def test_a_payment_with_nothing_behind_it_waits_for_a_person(self, stage):
        stage.next("limbo")
        flow = await prepare(stage)
        await flow.send()
        await flow.until(lambda outcome: isinstance(outcome, Pending) and outcome.seen)
        stage.clock.advance(2 * 3600)
        outcome = await flow.check()
        assert isinstance(outcome, Pending)
        assert outcome.limbo
        assert stage.received_units() == 0

    async def test_an_unreachable_network_decides_nothing(self, stage):
        stage.next("lose_answer")
        flow = await prepare(stage)
        await flow.send()
        stage.cut(True)
        with pytest.raises(RailUnavailable):
            await flow.check()
        with pytest.raises(RailUnavailable):
            await stage.rail.send(flow.attempt)
        stage.cut(False)
        assert isinstance(await flow.verdict(), Settled)
        assert stage.received_units() == 21_000

    async def test_a_restarted_node_finds_what_it_sent(self, stage):
        stage.next("lose_answer")
        flow = await prepare(stage)
        await flow.send()
        stage.restart()
        assert isinstance(await flow.verdict(), Settled)
        assert stage.received_units() == 21_000

    async def test_what_expires_before_it_is_sent_is_refused(self, stage):
        flow = await prepare(stage)
        if flow.attempt.expires_s is None:
            outcome = await flow.check()
            assert isinstance(outcome, Pending)
            assert outcome.send_again
            return
        stage.clock.set(flow.attempt.expires_s + 1)
        assert isinstance(await flow.verdict(), Refused)
        await flow.send()
        assert stage.received_units() == 0

    async def test_a_target_that_can_not_be_paid_is_refused_before_anything_moves(self, stage):
        payout = replace(await make_payout(stage), target=None)
        with pytest.raises(QuoteRefused):
            await stage.rail.prepare([payout], 1)

    async def test_many_payouts_at_once_arrive_once_each(self, stage):
        flows = [await prepare(stage, number, sats(100 + number)) for number in range(1, 9)]
        await asyncio.gather(*(flow.send() for flow in flows))
        for flow in flows:
            assert isinstance(await flow.verdict(), Settled)
        assert stage.received_units() == sum(flow.attempt.amount.units for flow in flows)
        assert len({flow.attempt.reference for flow in flows}) == len(flows)

    async def test_capacity_falls_by_what_was_paid(self, stage):
        before = await stage.rail.capacity()
        flow = await prepare(stage)
        await flow.send()
        settled = await flow.verdict()
        after = await stage.rail.capacity()
        assert before.ready
        assert after.ready
        assert before.spendable - after.spendable == settled.paid + settled.fee
