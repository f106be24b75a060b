"""The fake rail keeps every promise of a rail, and its script does what it says."""

from dataclasses import replace

import pytest

from node.clock import ManualClock
from node.errors import BadInput, QuoteRefused, RailUnavailable
from node.settlement.rail import Refused, Settled
from node.wallet.fake import FakeRail
from tests.wallet.rail_suite import Flow, RailSuite, make_payout, prepare

KEY = "02" + "ab" * 32


class FakeStage:
    def __init__(self, target):
        self.clock = ManualClock(1_800_000_000)
        self.rail = FakeRail(self.clock)
        self._target = target

    async def target(self, amount):
        del amount
        return self._target

    def next(self, step):
        self.rail.script(self._target, [step])

    def release(self, attempt):
        del attempt
        self.rail.release(self._target)

    def cut(self, cut):
        self.rail.ready = not cut

    def restart(self):
        """The fake is the network too: it has no memory to lose."""

    def received_units(self):
        return self.rail.received[self._target]


@pytest.fixture(params=["blog@example.org", KEY], ids=["address", "node key"])
def stage(request):
    return FakeStage(request.param)


class TestPromises(RailSuite):
    pass


async def test_a_script_runs_in_order_one_step_a_payment(stage):
    stage.rail.script(await stage.target(None), ["refuse:no route", "settle"])
    first = await prepare(stage, 1)
    await first.send()
    assert await first.verdict() == Refused("no route")
    second = await prepare(stage, 2)
    await second.send()
    assert isinstance(await second.verdict(), Settled)


async def test_a_held_payment_can_be_refused(stage):
    stage.next("hold")
    flow = await prepare(stage)
    await flow.send()
    stage.rail.refuse(await stage.target(None), "canceled")
    assert await flow.verdict() == Refused("canceled")
    assert stage.received_units() == 0


async def test_a_quote_can_be_refused_or_the_rail_be_away(stage):
    payout = await make_payout(stage)
    stage.rail.script(payout.target, ["quote:too little", "unreachable"])
    with pytest.raises(QuoteRefused, match="too little"):
        await stage.rail.prepare([payout], 1)
    with pytest.raises(RailUnavailable):
        await stage.rail.prepare([payout], 1)
    with pytest.raises(BadInput):
        stage.rail.script(payout.target, ["explode"])


async def test_only_a_node_key_keeps_its_reference():
    for target, same in ((KEY, True), ("blog@example.org", False)):
        stage = FakeStage(target)
        first, second = await prepare(stage, 1), await make_payout(stage, 1)
        again = Flow(stage, await stage.rail.prepare([second], 2))
        assert (first.attempt.reference == again.attempt.reference) is same
        assert (first.attempt.id == again.attempt.id) is same


async def test_what_was_seen_and_is_gone_waits_for_a_person(stage):
    flow = await prepare(stage)
    flow.attempt = replace(flow.attempt, seen=True)
    assert (await flow.check()).limbo
