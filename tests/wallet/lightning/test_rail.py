"""The Lightning rail on the simulated network: every promise of a rail, for each kind of target."""

import asyncio
import hashlib
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from node.clock import ManualClock
from node.errors import ConfigError, QuoteRefused, RailUnavailable
from node.money import Amount, msat, sats
from node.settlement.rail import Pending, Refused, Settled
from node.wallet.fetch import open_fetcher
from node.wallet.lightning.connection import LndConnection
from node.wallet.lightning.lnd import open_lnd
from node.wallet.lightning.rail import LightningRail
from node.wallet.lightning.simulated import open_simulated_network
from tests.wallet.rail_suite import Flow, RailSuite, make_payout, prepare

START_S = 1_800_000_000
BALANCES = {"node": 100_000_000, "other": 100_000_000, "blog": 0}
SEED = bytes(range(32))
SWITCHES = {
    "lose_answer": "lost_after",
    "lose_message": "lost_before",
    "late": "not_found",
    "refuse:no route": "no_route",
    "hold": "hold",
    "limbo": "phantom",
}


class LightningStage:
    def __init__(self, network, clock, server, lnd, fetcher, kind):
        self.network = network
        self.clock = clock
        self.lnd = lnd
        self.fetcher = fetcher
        self.server = server
        self.kind = kind
        self.restart()

    async def target(self, amount):
        if self.kind == "address":
            return f"blog@127.0.0.1:{self.server.port}"
        if self.kind == "invoice":
            return self.network.invoice("blog", amount.units)
        return self.network.nodes["blog"].identity_pubkey

    def next(self, step):
        getattr(self.network.faults, SWITCHES[step]).next_count += 1

    def release(self, attempt):
        self.network.release(attempt.reference)

    def cut(self, cut):
        (self.network.faults.unreachable.add if cut else self.network.faults.unreachable.remove)(
            "node"
        )

    def restart(self):
        self.rail = LightningRail(self.lnd, self.fetcher, self.clock, SEED)

    def received_units(self):
        return self.network.received_msat("blog")


@asynccontextmanager
async def open_lnurl_server(network, write_invoice):
    """The creator's server: LUD-16 and LUD-06, as short as it gets."""

    async def describe(request):
        answer = {"tag": "payRequest", "minSendable": 1000, "maxSendable": 10**9}
        answer["callback"] = f"http://127.0.0.1:{request.url.port}/pay"
        return web.json_response({**answer, "metadata": '[["text/plain","blog"]]'})

    async def pay(request):
        return web.json_response({"pr": write_invoice(network, int(request.query["amount"]))})

    app = web.Application()
    app.router.add_get("/.well-known/lnurlp/blog", describe)
    app.router.add_get("/pay", pay)
    async with TestServer(app) as server:
        yield server


@pytest.fixture
async def open_stage(tmp_path):
    """`await open_stage(kind, write_invoice)`."""
    async with AsyncExitStack() as stack:

        async def open_one(kind, write_invoice=lambda n, units: n.invoice("blog", units)):
            clock = ManualClock(START_S)
            network = await stack.enter_async_context(
                open_simulated_network(tmp_path, BALANCES, clock=clock)
            )
            server = await stack.enter_async_context(open_lnurl_server(network, write_invoice))
            allow = frozenset({f"127.0.0.1:{server.port}"})
            fetcher = await stack.enter_async_context(open_fetcher(allow=allow, clock=clock))
            connection = LndConnection.from_lndconnect(network.nodes["node"].lndconnect)
            lnd = await stack.enter_async_context(open_lnd(connection))
            return LightningStage(network, clock, server, lnd, fetcher, kind)

        yield open_one


@pytest.fixture(params=["address", "invoice", "node key"])
async def stage(request, open_stage):
    opened = await open_stage(request.param)
    yield opened
    assert opened.network.total_msat() == sum(BALANCES.values())


class TestPromises(RailSuite):
    pass


async def test_a_failed_that_comes_and_goes_is_not_believed(stage):
    stage.network.faults.flapping.next_count = 1
    flow = await prepare(stage)
    await flow.send()
    assert isinstance(await flow.verdict(), Settled)
    assert stage.received_units() == 21_000


async def test_failed_is_believed_after_two_reads_thirty_seconds_apart(stage):
    stage.next("refuse:no route")
    flow = await prepare(stage)
    await flow.send()
    await flow.until(lambda outcome: outcome.seen and "failed" in outcome.reason)
    stage.clock.advance(28)
    assert isinstance(await flow.check(), Pending)
    stage.restart()
    stage.clock.advance(28)
    assert isinstance(await flow.check(), Pending)
    stage.clock.advance(30)
    assert await flow.check() == Refused("no route")


async def test_an_expired_answer_does_not_refuse_what_was_accepted(stage):
    stage.network.faults.expired.next_count = 1
    flow = await prepare(stage)
    await flow.send()
    assert isinstance(await flow.verdict(), Settled)
    assert stage.received_units() == 21_000


async def test_a_late_success_with_a_failure_reason_is_a_success(stage):
    stage.network.faults.late.next_count = 1
    flow = await prepare(stage)
    await flow.send()
    assert isinstance(await flow.verdict(), Settled)


async def test_a_lost_invoice_is_refused_only_when_both_calendars_are_past_it(open_stage):
    stage = await open_stage("address")
    stage.next("lose_message")
    flow = await prepare(stage)
    await flow.send()
    stage.clock.set(flow.attempt.expires_s + 15 * 60)
    assert isinstance(await flow.check(), Pending)
    stage.clock.advance(1)
    assert isinstance(await flow.check(), Refused)
    assert stage.received_units() == 0


async def test_a_payment_that_lnd_forgot_waits_for_a_person(stage):
    flow = await prepare(stage)
    flow.attempt = replace(flow.attempt, seen=True)
    outcome = await flow.check()
    assert isinstance(outcome, Pending)
    assert outcome.limbo


async def test_another_lnd_neither_sends_nor_judges(stage):
    flow = await prepare(stage)
    flow.attempt = replace(flow.attempt, sender=stage.network.nodes["other"].identity_pubkey)
    with pytest.raises(RailUnavailable, match="belongs to lnd"):
        await stage.rail.send(flow.attempt)
    outcome = await flow.check()
    assert isinstance(outcome, Pending)
    assert outcome.limbo
    assert stage.received_units() == 0


@pytest.mark.parametrize("kind", ["invoice", "node key"])
async def test_a_second_try_has_the_same_hash_and_pays_once(open_stage, kind):
    stage = await open_stage(kind)
    payout = await make_payout(stage)
    first = Flow(stage, await stage.rail.prepare([payout], 1))
    await first.send()
    stage.restart()
    second = Flow(stage, await stage.rail.prepare([payout], 2))
    assert second.attempt.id == first.attempt.id
    await second.send()
    assert isinstance(await second.verdict(), Settled)
    assert stage.received_units() == 21_000


async def test_an_address_gives_a_fresh_invoice_each_time(open_stage):
    stage = await open_stage("address")
    first, second = await prepare(stage), await prepare(stage)
    assert first.attempt.reference != second.attempt.reference


async def test_a_keysend_preimage_comes_from_the_seed_and_the_payout_alone(open_stage):
    stage = await open_stage("node key")
    flow = await prepare(stage)
    await flow.send()
    settled = await flow.verdict()
    proof = hashlib.sha256(bytes.fromhex(settled.proof)).hexdigest()
    assert proof == flow.attempt.reference
    assert flow.attempt.message == f"keysend:{stage.network.nodes['blog'].identity_pubkey}"
    stage.rail = LightningRail(stage.lnd, stage.fetcher, stage.clock, bytes(32))
    with pytest.raises(ConfigError, match="seed"):
        await stage.rail.send(flow.attempt)


@pytest.mark.parametrize(
    ("write_invoice", "words"),
    [
        (lambda n, units: n.invoice("blog", units + 1), "asks for 21001 msat"),
        (lambda n, units: n.invoice("blog", units, expiry_s=60), "expires within"),
        (lambda n, units: n.invoice("node", units), "itself"),
        (lambda *_: "lnsb1nonsense", "invoice"),
    ],
    ids=["amount", "expiry", "own", "nonsense"],
)
async def test_a_hostile_invoice_is_refused_before_anything_moves(open_stage, write_invoice, words):
    stage = await open_stage("address", write_invoice)
    with pytest.raises(QuoteRefused, match=words):
        await prepare(stage)


@pytest.mark.parametrize("target", ["nonsense", "blog@127.0.0.1:1", "bc1qnothing"])
async def test_a_target_that_is_none_is_the_receivers_fault(open_stage, target):
    stage = await open_stage("address")
    payout = replace(await make_payout(stage), target=target)
    with pytest.raises(QuoteRefused):
        await stage.rail.prepare([payout], 1)


async def test_an_invoice_of_another_amount_and_parts_of_a_sat_are_refused(open_stage):
    stage = await open_stage("invoice")
    payout = await make_payout(stage)
    with pytest.raises(QuoteRefused, match="msat"):
        await stage.rail.prepare([replace(payout, amount=sats(22))], 1)
    with pytest.raises(QuoteRefused, match="whole"):
        await stage.rail.prepare([replace(payout, amount=msat(21_500))], 1)


async def test_a_node_that_still_syncs_prepares_nothing(stage):
    payout = await make_payout(stage)
    stage.network.faults.unsynced.add("node")
    with pytest.raises(RailUnavailable, match="reading the chain"):
        await stage.rail.prepare([payout], 1)
    capacity = await stage.rail.capacity()
    assert (capacity.ready, capacity.spendable) == (False, Amount(0))


async def test_a_killed_payer_finds_every_payment_and_pays_each_once(open_stage):
    stage = await open_stage("address")
    faults = stage.network.faults
    faults.lost_after.chance = faults.lost_before.chance = 0.3
    faults.not_found.chance = faults.expired.chance = 0.3
    flows = [await prepare(stage, number) for number in range(1, 21)]
    await asyncio.gather(*(flow.send() for flow in flows))
    stage.restart()
    for flow in flows:
        for _ in range(100):
            outcome = await flow.check()
            if isinstance(outcome, Settled):
                break
            if isinstance(outcome, Pending) and outcome.send_again:
                await flow.send()
            stage.clock.advance(1)
    received = stage.network.settled("blog")
    assert sorted(received) == sorted((flow.attempt.reference, 21_000) for flow in flows)


async def test_a_seed_of_another_size_is_refused(open_stage):
    stage = await open_stage("node key")
    with pytest.raises(ConfigError, match="32"):
        LightningRail(stage.lnd, stage.fetcher, stage.clock, b"short")
