"""The table of verdict.py, row by row, on an lnd that says what the row says."""

import hashlib
from dataclasses import replace

import pytest

from node.clock import ManualClock
from node.ids import AttemptId, PayoutId
from node.money import msat, sats
from node.settlement.attempt import Attempt, AttemptState
from node.settlement.rail import Pending, Refused, Settled
from node.wallet.lightning.answers import LndNode, PaymentStatus, PaymentView
from node.wallet.lightning.verdict import Verdicts

PREIMAGE = "11" * 32
HASH = hashlib.sha256(bytes.fromhex(PREIMAGE)).hexdigest()
SENT_S = 1_800_000_000
EXPIRES_S = SENT_S + 3600
ATTEMPT = Attempt(
    id=AttemptId("a"),
    rail="lightning",
    number=1,
    payouts=(PayoutId("p"),),
    reference=HASH,
    message="lnsb…",
    amount=sats(21),
    fee_limit=sats(2),
    expires_s=EXPIRES_S,
    sender="02aa",
    sent_s=SENT_S,
)


class Says:
    """An lnd as this test wants it."""

    def __init__(self, view=None):
        self.view = view
        self.node = LndNode("02aa", "", "", "simnet", True, 500, 2**40)
        self.on_channel = False
        self.listed = []

    async def track(self, payment_hash):
        assert payment_hash == HASH
        return self.view

    async def read_node(self):
        return self.node

    async def hash_on_a_channel(self, payment_hash):
        assert payment_hash == HASH
        return self.on_channel

    async def list_payments(self, *, since_s):
        assert since_s <= SENT_S
        for view in self.listed:
            yield view


def view(status, **fields):
    before = PaymentView(HASH, status, "00" * 32, 21_000, 7, "no route", 0, 0, SENT_S, 1)
    return replace(before, **fields)


async def judge(lnd, attempt=ATTEMPT, at_s=SENT_S + 1):
    return await Verdicts(lnd, ManualClock(at_s)).judge(attempt)


def verdicts_of(lnd, clock):
    return Verdicts(lnd, clock)


async def test_success_needs_the_preimage_of_the_hash_and_the_amount():
    lnd = Says(view(PaymentStatus.SUCCEEDED, preimage=PREIMAGE))
    assert await judge(lnd) == Settled(sats(21), msat(7), PREIMAGE)
    lnd.view = view(PaymentStatus.SUCCEEDED, preimage="22" * 32)
    assert (await judge(lnd)).limbo
    lnd.view = view(PaymentStatus.SUCCEEDED, preimage=PREIMAGE, value_msat=20_999)
    assert (await judge(lnd)).limbo


async def test_success_counts_whatever_else_is_true():
    lnd = Says(view(PaymentStatus.SUCCEEDED, preimage=PREIMAGE, failure_reason="timeout"))
    lnd.node = replace(lnd.node, pubkey="03bb")
    assert isinstance(await judge(lnd, replace(ATTEMPT, seen=True), 2**40), Settled)


async def test_a_send_is_believed_its_preimage_and_nothing_else():
    lnd = Says(view(PaymentStatus.IN_FLIGHT))
    verdicts = verdicts_of(lnd, ManualClock(SENT_S + 1))
    said = view(PaymentStatus.SUCCEEDED, preimage=PREIMAGE)
    for wrong in (
        view(PaymentStatus.FAILED, preimage=PREIMAGE),
        view(PaymentStatus.IN_FLIGHT, preimage=PREIMAGE),
        replace(said, preimage="22" * 32),
        replace(said, value_msat=20_999),
    ):
        verdicts.heard(HASH, wrong)
        assert await verdicts.judge(ATTEMPT) == Pending("in flight", seen=True), wrong
    verdicts.heard(HASH, said)
    assert await verdicts.judge(ATTEMPT) == Settled(sats(21), msat(7), PREIMAGE)
    assert isinstance(await verdicts.judge(ATTEMPT), Pending), "it is looked at once"


@pytest.mark.parametrize(
    "status", [PaymentStatus.IN_FLIGHT, PaymentStatus.INITIATED, PaymentStatus.UNKNOWN]
)
async def test_what_is_open_stays_open_and_no_time_refuses_it(status):
    lnd = Says(view(status))
    assert await judge(lnd, at_s=SENT_S + 3600) == Pending("in flight", seen=True)
    outcome = await judge(lnd, at_s=SENT_S + 3601)
    assert (outcome.seen, outcome.limbo) == (True, True)
    lnd.on_channel = True
    outcome = await judge(lnd, at_s=SENT_S + 10**7)
    assert (outcome.seen, outcome.limbo) == (True, False)


async def test_what_lnd_began_late_is_not_called_lost_by_the_hour_of_its_first_send():
    lnd = Says(view(PaymentStatus.IN_FLIGHT, created_s=SENT_S + 7200))
    assert await judge(lnd, at_s=SENT_S + 7201) == Pending("in flight", seen=True)
    assert (await judge(lnd, at_s=SENT_S + 7200 + 3601)).limbo


@pytest.mark.parametrize("between", [None, PaymentStatus.IN_FLIGHT, PaymentStatus.INITIATED])
async def test_any_other_status_between_two_failed_starts_anew(between):
    lnd, clock = Says(view(PaymentStatus.FAILED)), ManualClock(SENT_S)
    verdicts = verdicts_of(lnd, clock)
    assert isinstance(await verdicts.judge(ATTEMPT), Pending)
    clock.advance(29)
    assert isinstance(await verdicts.judge(ATTEMPT), Pending)
    lnd.view = None if between is None else view(between)
    assert isinstance(await verdicts.judge(ATTEMPT), Pending)
    lnd.view = view(PaymentStatus.FAILED)
    clock.advance(1)
    assert isinstance(await verdicts.judge(ATTEMPT), Pending)
    clock.advance(30)
    assert await verdicts.judge(ATTEMPT) == Refused("no route")


async def test_a_dead_attempt_stays_dead_however_often_it_is_asked_about():
    """Of two that were first asked at different times, each round found the other one unproved."""
    clock, dead = ManualClock(SENT_S), replace(ATTEMPT, state=AttemptState.DEAD)
    verdicts = verdicts_of(Says(view(PaymentStatus.FAILED)), clock)
    assert isinstance(await verdicts.judge(dead), Pending)
    for _ in range(3):
        clock.advance(31)
        assert await verdicts.judge(dead) == Refused("no route")


async def test_a_buried_attempt_is_read_twice_again_before_it_counts_as_dead():
    clock, dead = ManualClock(SENT_S), replace(ATTEMPT, state=AttemptState.DEAD)
    verdicts = verdicts_of(Says(view(PaymentStatus.FAILED)), clock)
    await verdicts.judge(ATTEMPT)
    clock.advance(31)
    assert await verdicts.judge(ATTEMPT) == Refused("no route")
    assert isinstance(await verdicts.judge(dead), Pending)
    clock.advance(31)
    assert await verdicts.judge(dead) == Refused("no route")


async def test_a_new_send_forgets_the_failed_before_it():
    clock = ManualClock(SENT_S)
    verdicts = verdicts_of(Says(view(PaymentStatus.FAILED)), clock)
    await verdicts.judge(ATTEMPT)
    clock.advance(60)
    verdicts.forget(HASH)
    assert isinstance(await verdicts.judge(ATTEMPT), Pending)


@pytest.mark.parametrize("where", ["book", "channel"])
async def test_failed_with_an_htlc_out_is_never_believed(where):
    clock = ManualClock(SENT_S)
    lnd = Says(view(PaymentStatus.FAILED, htlcs_in_flight=int(where == "book")))
    lnd.on_channel = where == "channel"
    verdicts = verdicts_of(lnd, clock)
    for _ in range(5):
        assert isinstance(await verdicts.judge(ATTEMPT), Pending)
        clock.advance(60)


async def test_failed_at_another_lnd_waits_for_a_person():
    lnd = Says(view(PaymentStatus.FAILED))
    lnd.node = replace(lnd.node, pubkey="03bb")
    assert (await judge(lnd)).limbo


async def test_not_found_is_sent_again_while_the_invoice_lasts():
    outcome = await judge(Says(), at_s=EXPIRES_S)
    assert (outcome.send_again, outcome.limbo) == (True, False)
    endless = replace(ATTEMPT, expires_s=None)
    assert (await judge(Says(), endless, at_s=2**40)).send_again


@pytest.mark.parametrize("calendar", ["ours", "lnd's"])
async def test_not_found_is_refused_when_both_calendars_are_past_the_invoice(calendar):
    late_s, early_s = EXPIRES_S + 901, EXPIRES_S + 900
    lnd = Says()
    lnd.node = replace(lnd.node, best_header_s=late_s if calendar == "ours" else early_s)
    at_s = early_s if calendar == "ours" else late_s
    outcome = await judge(lnd, at_s=at_s)
    assert isinstance(outcome, Pending)
    assert not outcome.send_again
    lnd.node = replace(lnd.node, best_header_s=late_s)
    assert isinstance(await judge(lnd, at_s=late_s), Refused)


async def test_not_found_but_listed_is_pending():
    lnd = Says()
    lnd.listed = [view(PaymentStatus.IN_FLIGHT)]
    outcome = await judge(lnd, at_s=EXPIRES_S + 10**6)
    assert (isinstance(outcome, Pending), outcome.seen) == (True, True)


async def test_not_found_of_what_was_never_sent_is_refused_once_it_expired():
    ready = replace(ATTEMPT, sent_s=None)
    assert (await judge(Says(), ready, at_s=EXPIRES_S)).send_again
    assert isinstance(await judge(Says(), ready, at_s=EXPIRES_S + 1), Refused)


@pytest.mark.parametrize("at_s", [SENT_S + 1, EXPIRES_S + 10**6])
async def test_not_found_of_what_was_seen_or_at_another_lnd_waits_for_a_person(at_s):
    assert (await judge(Says(), replace(ATTEMPT, seen=True), at_s)).limbo
    lnd = Says()
    lnd.node = replace(lnd.node, pubkey="03bb")
    outcome = await judge(lnd, at_s=at_s)
    assert (outcome.limbo, outcome.send_again) == (True, False)
