"""Each switch of the simulated network shows the fact of lnd that it stands for."""

import asyncio
import contextlib

import grpc
import pytest

from node.errors import ConfigError, NotFound
from node.wallet.lightning.simulated import Faults
from node.wallet.lightning.stubs import lightning_pb2 as ln

IN_FLIGHT, SUCCEEDED, FAILED = ln.Payment.IN_FLIGHT, ln.Payment.SUCCEEDED, ln.Payment.FAILED
UNAVAILABLE, NOT_FOUND = grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.NOT_FOUND
ALREADY_EXISTS, UNKNOWN = grpc.StatusCode.ALREADY_EXISTS, grpc.StatusCode.UNKNOWN


@pytest.fixture
async def armed(open_scene, request):
    """A scene whose next payment is struck by the switch that the test's mark names."""
    faults = Faults()
    name, settings = request.param
    faults.change({name: {"next_count": 1, **settings}})
    async with open_scene(faults) as scene:
        yield scene


def strike(name: str, **settings):
    return pytest.mark.parametrize("armed", [(name, settings)], indirect=True, ids=[name])


@strike("not_found", reads=3)
async def test_not_found_for_some_reads_is_not_unpaid(armed, refused):
    invoice = await armed.blog.invoice()
    assert (await refused(armed.node.send(invoice.payment_request)))[0] is UNAVAILABLE
    for _ in range(3):
        assert (await refused(armed.node.track(invoice.r_hash)))[0] is NOT_FOUND
        assert await armed.node.payments() == [] or armed.network.settled("blog")
    again = await refused(armed.node.send(invoice.payment_request))
    assert again[0] is ALREADY_EXISTS
    assert (await armed.node.track(invoice.r_hash))[-1].status == SUCCEEDED
    armed.settled_once(invoice.r_hash)


@strike("not_found", reads=0, seconds=0.7)
async def test_not_found_for_some_time_is_not_unpaid(armed, refused):
    invoice = await armed.blog.invoice()
    assert (await refused(armed.node.send(invoice.payment_request)))[0] is UNAVAILABLE
    assert (await refused(armed.node.track(invoice.r_hash)))[0] is NOT_FOUND
    armed.clock.advance(0.6)
    assert (await refused(armed.node.track(invoice.r_hash)))[0] is NOT_FOUND
    armed.clock.advance(0.1)
    assert (await armed.node.track(invoice.r_hash))[-1].status == SUCCEEDED
    armed.settled_once(invoice.r_hash)


@strike("phantom")
async def test_a_phantom_stays_in_flight_and_moves_nothing(armed, refused):
    invoice = await armed.blog.invoice()
    await armed.node.start(invoice.payment_request)
    again = await refused(armed.node.send(invoice.payment_request))
    assert again == (ALREADY_EXISTS, "payment is in transition")
    armed.clock.advance(3600)
    armed.network.mine(1000)
    assert (await armed.node.look(invoice.r_hash)).status == IN_FLIGHT
    assert (await armed.blog.lookup(invoice.r_hash)).state == ln.Invoice.OPEN
    channels = await armed.node.lightning.ListChannels(ln.ListChannelsRequest())
    assert list(channels.channels[0].pending_htlcs) == []
    assert await armed.node.balance_msat() == 100_000_000


@strike("flapping", reads=2)
async def test_failed_for_some_reads_is_not_failed(armed):
    invoice = await armed.blog.invoice()
    assert [each.status for each in await armed.node.send(invoice.payment_request)] == [
        IN_FLIGHT,
        FAILED,
    ]
    assert (await armed.node.payments())[0].status == FAILED
    for _ in range(2):
        (shown,) = await armed.node.track(invoice.r_hash)
        assert (shown.status, list(shown.htlcs)) == (FAILED, [])
    first, *_, last = await armed.node.track(invoice.r_hash)
    assert (first.status, last.status) == (IN_FLIGHT, SUCCEEDED)
    armed.settled_once(invoice.r_hash)


@strike("flapping", reads=0, seconds=60)
async def test_failed_for_some_time_is_not_failed(armed, refused):
    invoice = await armed.blog.invoice()
    await armed.node.send(invoice.payment_request)
    armed.clock.advance(59)
    assert (await armed.node.track(invoice.r_hash))[-1].status == FAILED
    again = await refused(armed.node.send(invoice.payment_request))
    assert again[0] is ALREADY_EXISTS
    armed.clock.advance(1)
    assert (await armed.node.track(invoice.r_hash))[-1].status == SUCCEEDED


@strike("late")
async def test_a_late_success_names_a_timeout(armed):
    invoice = await armed.blog.invoice()
    last = (await armed.node.send(invoice.payment_request))[-1]
    assert (last.status, last.failure_reason) == (SUCCEEDED, ln.FAILURE_REASON_TIMEOUT)
    armed.settled_once(invoice.r_hash)


@strike("expired")
async def test_expired_is_answered_for_a_payment_that_succeeds(armed, refused):
    invoice = await armed.blog.invoice()
    code, text = await refused(armed.node.send(invoice.payment_request))
    assert (code, text.split(".")[0]) == (UNKNOWN, "invoice expired")
    assert (await armed.node.track(invoice.r_hash))[-1].status == SUCCEEDED
    armed.settled_once(invoice.r_hash)


@strike("lost_before")
async def test_an_answer_lost_before_leaves_nothing(armed, refused):
    invoice = await armed.blog.invoice()
    assert (await refused(armed.node.send(invoice.payment_request)))[0] is UNAVAILABLE
    assert (await refused(armed.node.track(invoice.r_hash)))[0] is NOT_FOUND
    assert (await armed.node.send(invoice.payment_request))[-1].status == SUCCEEDED
    armed.settled_once(invoice.r_hash)


@strike("lost_after")
async def test_an_answer_lost_after_was_paid(armed, refused):
    invoice = await armed.blog.invoice()
    assert (await refused(armed.node.send(invoice.payment_request)))[0] is UNAVAILABLE
    assert (await armed.node.track(invoice.r_hash))[-1].status == SUCCEEDED
    armed.settled_once(invoice.r_hash)


@strike("no_route")
async def test_no_route_fails_once(armed):
    invoice = await armed.blog.invoice()
    last = (await armed.node.send(invoice.payment_request))[-1]
    assert (last.status, last.failure_reason) == (FAILED, ln.FAILURE_REASON_NO_ROUTE)
    assert (await armed.node.send(invoice.payment_request))[-1].status == SUCCEEDED


async def _held(scene, invoice) -> None:
    await scene.node.start(invoice.payment_request)
    async with asyncio.timeout(10):
        while (await scene.blog.lookup(invoice.r_hash)).state != ln.Invoice.ACCEPTED:
            pass
    channels = await scene.node.lightning.ListChannels(ln.ListChannelsRequest())
    (htlc,) = channels.channels[0].pending_htlcs
    assert htlc.hash_lock == invoice.r_hash
    assert (await scene.node.look(invoice.r_hash)).status == IN_FLIGHT
    assert scene.network.total_msat() == scene.total_msat


@strike("hold")
async def test_a_held_payment_settles_when_released(armed, refused):
    invoice = await armed.blog.invoice(expiry=60)
    await _held(armed, invoice)
    armed.clock.advance(61)
    code, text = await refused(armed.node.send(invoice.payment_request))
    assert (code, text.split(".")[0]) == (UNKNOWN, "invoice expired")
    armed.network.release(invoice.r_hash.hex())
    last = (await armed.node.track(invoice.r_hash))[-1]
    assert (last.status, last.failure_reason) == (SUCCEEDED, ln.FAILURE_REASON_TIMEOUT)
    armed.settled_once(invoice.r_hash)


@strike("hold")
async def test_a_held_payment_fails_when_the_receiver_cancels(armed):
    invoice = await armed.blog.invoice()
    await _held(armed, invoice)
    armed.network.cancel(invoice.r_hash.hex())
    assert (await armed.node.track(invoice.r_hash))[-1].status == FAILED
    assert await armed.node.balance_msat() == 100_000_000
    with pytest.raises(NotFound):
        armed.network.release(invoice.r_hash.hex())


async def test_a_switch_strikes_whom_it_is_told(open_scene):
    faults = Faults(payers={"reader"})
    faults.change({"no_route": {"chance": 1.0}})
    async with open_scene(faults) as scene:
        invoices = [await scene.blog.invoice() for _ in range(4)]
        send = scene.node.send
        assert (await send(invoices[0].payment_request))[-1].status == SUCCEEDED
        faults.change({"payers": [], "no_route": {"chance": 0, "after_count": 1, "next_count": 1}})
        ends = [(await send(each.payment_request))[-1].status for each in invoices[1:3]]
        assert ends == [SUCCEEDED, FAILED]
        faults.no_route.hashes = {invoices[3].r_hash.hex()}
        assert (await send(invoices[3].payment_request))[-1].status == FAILED
        assert faults.no_route.struck == [each.r_hash.hex() for each in invoices[2:]]


@pytest.mark.parametrize("wrong", [{"x": 1}, {"hold": 1}, {"hold": {"x": 1}}, {"random": 1}])
def test_an_unknown_switch_is_refused(wrong):
    with pytest.raises(ConfigError):
        Faults().change(wrong)


def test_the_same_seed_strikes_the_same_payments():
    def struck(seed: int):
        faults = Faults(seed=seed)
        faults.hold.chance = 0.5
        return [faults.strike(faults.hold, "node", bytes([n])) for n in range(64)]

    assert struck(1) == struck(1) != struck(2)


@pytest.mark.parametrize("seed", range(4))
async def test_money_is_conserved_under_all_faults(open_scene, seed):
    faults, chance = Faults(seed=seed), 0.15
    for name in ("not_found", "flapping", "late", "expired", "lost_before", "lost_after"):
        faults.change({name: {"chance": chance}})
    faults.change({"phantom": {"chance": chance}, "hold": {"chance": chance}})
    faults.change({"no_route": {"chance": chance}})
    async with open_scene(faults) as scene:
        invoices = [await scene.blog.invoice(1000 + n) for n in range(40)]

        async def insist(invoice) -> None:
            for _ in range(4):
                with contextlib.suppress(grpc.aio.AioRpcError, TimeoutError):
                    await scene.node.start(invoice.payment_request)
                assert scene.network.total_msat() == scene.total_msat

        await asyncio.gather(*(insist(each) for each in invoices))
        arrived = scene.network.settled("blog")
        assert len(dict(arrived)) == len(arrived) > 0
        for payment_hash in faults.hold.struck:
            scene.network.release(payment_hash)
            assert await _end(scene, payment_hash) == SUCCEEDED
        assert scene.network.total_msat() == scene.total_msat


async def _end(scene, payment_hash: str):
    """What a payment is when all its masks have been read."""
    for _ in range(3):
        with contextlib.suppress(grpc.aio.AioRpcError):
            last = (await scene.node.track(bytes.fromhex(payment_hash)))[-1]
            if last.status == SUCCEEDED:
                return last.status
    return None
