"""Paying through the simulated network, as through any lnd."""

import asyncio
import hashlib
import secrets

import grpc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.errors import RailError
from node.wallet.lightning.simulated import Faults, open_simulated_network
from node.wallet.lightning.simulated_books import KEYSEND_RECORD
from node.wallet.lightning.stubs import lightning_pb2 as ln

IN_FLIGHT, SUCCEEDED, FAILED = ln.Payment.IN_FLIGHT, ln.Payment.SUCCEEDED, ln.Payment.FAILED
UNKNOWN = grpc.StatusCode.UNKNOWN
ALREADY_EXISTS = grpc.StatusCode.ALREADY_EXISTS
BALANCE = 100_000_000


async def test_an_invoice_is_paid_and_the_router_takes_its_fee(scene):
    invoice = await scene.blog.invoice(21_000)
    first, *_, last = await scene.node.send(invoice.payment_request)
    assert (first.status, last.status) == (IN_FLIGHT, SUCCEEDED)
    assert hashlib.sha256(bytes.fromhex(last.payment_preimage)).digest() == invoice.r_hash
    assert (last.value_msat, last.fee_msat) == (21_000, 1000)
    assert last.htlcs[0].status == ln.HTLCAttempt.SUCCEEDED
    assert await scene.node.balance_msat() == BALANCE - 22_000
    assert await scene.blog.balance_msat() == 21_000
    assert scene.network.fees_taken_msat == 1000
    scene.settled_once(invoice.r_hash)


async def test_only_the_end_is_streamed_if_asked(scene):
    invoice = await scene.blog.invoice()
    sent = await scene.node.send(invoice.payment_request, no_inflight_updates=True)
    tracked = await scene.node.track(invoice.r_hash, no_inflight_updates=True)
    assert [each.status for each in sent + tracked] == [SUCCEEDED, SUCCEEDED]


async def test_a_paid_hash_is_never_paid_again(scene, refused):
    invoice = await scene.blog.invoice()
    await scene.node.send(invoice.payment_request)
    again = await refused(scene.node.send(invoice.payment_request))
    assert again == (ALREADY_EXISTS, "invoice is already paid")
    scene.settled_once(invoice.r_hash)


async def test_a_hash_in_flight_is_not_sent_again(open_scene, refused):
    faults = Faults()
    faults.hold.next_count = 1
    async with open_scene(faults) as scene:
        invoice = await scene.blog.invoice()
        await scene.node.start(invoice.payment_request)
        again = await refused(scene.node.send(invoice.payment_request))
        assert again == (ALREADY_EXISTS, "payment is in transition")


async def test_a_failed_payment_may_be_tried_again_with_the_same_invoice(scene):
    invoice = await scene.blog.invoice()
    refusal = (await scene.node.send(invoice.payment_request, fee_limit_msat=999))[-1]
    assert (refusal.status, refusal.failure_reason) == (FAILED, ln.FAILURE_REASON_NO_ROUTE)
    assert refusal.payment_preimage == bytes(32).hex()
    paid = (await scene.node.send(invoice.payment_request, fee_limit_msat=1000))[-1]
    assert paid.status == SUCCEEDED
    assert paid.payment_index > refusal.payment_index
    scene.settled_once(invoice.r_hash)


async def test_no_fee_limit_means_no_fee(scene):
    invoice = await scene.blog.invoice()
    last = (await scene.node.send(invoice.payment_request, fee_limit_msat=0))[-1]
    assert (last.status, last.failure_reason) == (FAILED, ln.FAILURE_REASON_NO_ROUTE)


async def test_more_than_the_balance_fails_and_moves_nothing(scene):
    for amount_msat in (BALANCE + 1, BALANCE):
        invoice = await scene.blog.invoice(amount_msat)
        last = (await scene.node.send(invoice.payment_request))[-1]
        assert last.failure_reason == ln.FAILURE_REASON_INSUFFICIENT_BALANCE
    assert await scene.node.balance_msat() == BALANCE
    assert scene.network.total_msat() == scene.total_msat


async def test_requests_that_lnd_refuses_leave_no_payment(scene, refused):
    old = await scene.blog.invoice(expiry=60)
    slow = await scene.blog.invoice(cltv_expiry=300)
    fixed = (await scene.blog.invoice()).payment_request
    free = (await scene.blog.invoice(0)).payment_request
    own = (await scene.node.invoice()).payment_request
    scene.clock.advance(61)
    send = scene.node.send
    assert await refused(send(old.payment_request)) == (
        UNKNOWN,
        "invoice expired. Valid until 2027-01-15 08:01:00 +0000 UTC",
    )
    assert (await refused(send(slow.payment_request, cltv_limit=303)))[1] == (
        "cltv limit 303 should be greater than 303"
    )
    assert (await refused(send(fixed, cltv_limit=2017)))[1].startswith("total time lock of 2017")
    assert (await refused(send(own)))[1] == "self-payments not allowed"
    assert "must not be specified" in (await refused(send(fixed, amt_msat=1)))[1]
    assert "must be specified" in (await refused(send(free)))[1]
    garbled = fixed[:-1] + ("p" if fixed.endswith("q") else "q")
    assert (await refused(send(garbled)))[0] is UNKNOWN
    assert (await refused(send(fixed, amt=1, amt_msat=1)))[0] is UNKNOWN
    assert (await refused(send(dest=b"\x02" * 33, amt=1)))[0] is UNKNOWN
    assert await scene.node.payments() == []


async def test_a_cltv_limit_below_the_route_finds_none(scene):
    invoice = await scene.blog.invoice()
    last = (await scene.node.send(invoice.payment_request, cltv_limit=100))[-1]
    assert last.failure_reason == ln.FAILURE_REASON_NO_ROUTE


async def test_a_route_that_takes_too_long_to_find_times_out(open_scene):
    async with open_scene(Faults(latency_s=3600)) as scene:
        invoice = await scene.blog.invoice()
        request = scene.node.send(invoice.payment_request, timeout_seconds=1)
        last = (await request)[-1]
        assert (last.status, last.failure_reason) == (FAILED, ln.FAILURE_REASON_TIMEOUT)
        assert scene.network.settled("blog") == []


async def test_an_unknown_hash_is_not_found(scene, refused):
    code, text = await refused(scene.node.track(bytes(32)))
    assert (code, text) == (grpc.StatusCode.NOT_FOUND, "payment isn't initiated")


async def test_a_payment_outlives_the_caller(open_scene):
    async with open_scene(Faults(latency_s=0.05)) as scene:
        invoice = await scene.blog.invoice()
        assert (await scene.node.start(invoice.payment_request)).status == IN_FLIGHT
        assert (await scene.node.track(invoice.r_hash))[-1].status == SUCCEEDED
        scene.settled_once(invoice.r_hash)


async def test_keysend_arrives_with_its_records(scene):
    preimage = secrets.token_bytes(32)
    payment_hash = hashlib.sha256(preimage).digest()
    keysend = {
        "dest": bytes.fromhex(scene.network.nodes["blog"].identity_pubkey),
        "payment_hash": payment_hash,
        "amt_msat": 5000,
    }
    wrong = await scene.node.send(dest_custom_records={KEYSEND_RECORD: bytes(32)}, **keysend)
    assert wrong[-1].failure_reason == ln.FAILURE_REASON_INCORRECT_PAYMENT_DETAILS
    records = {KEYSEND_RECORD: preimage, 7629169: b"2026-11"}
    assert (await scene.node.send(dest_custom_records=records, **keysend))[-1].status == SUCCEEDED
    invoice = await scene.blog.lookup(payment_hash)
    assert (invoice.is_keysend, invoice.amt_paid_msat) == (True, 5000)
    assert dict(invoice.htlcs[0].custom_records)[7629169] == b"2026-11"
    scene.settled_once(payment_hash, 5000)


async def test_two_payers_of_one_invoice_settle_it_once(scene):
    network = scene.network
    request = network.invoice("blog", 21_000)
    both = await asyncio.gather(
        network.pay("node", request), network.pay("reader", request), return_exceptions=True
    )
    assert [type(each) for each in both].count(str) == 1
    assert [type(each) for each in both].count(RailError) == 1
    assert network.received_msat("blog") == 21_000
    assert network.total_msat() == scene.total_msat


async def test_a_receiver_takes_up_to_twice_the_amount(scene):
    network = scene.network
    await network.pay("reader", network.invoice("blog", 1000), 2000)
    await network.pay("reader", network.invoice("blog", 0), 7)
    for amount_msat in (999, 2001):
        with pytest.raises(RailError, match="INCORRECT_PAYMENT_DETAILS"):
            await network.pay("reader", network.invoice("blog", 1000), amount_msat)
    assert [amount for _, amount in network.settled("blog")] == [2000, 7]
    assert network.total_msat() == scene.total_msat


PAYMENTS = st.lists(
    st.tuples(st.sampled_from(["node", "blog", "reader"]), st.integers(1, 40_000_000)), max_size=12
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(payments=PAYMENTS)
async def test_money_is_conserved_whatever_is_paid(tmp_path, payments):
    balances = {"node": 50_000_000, "blog": 9_999, "reader": 1}
    async with open_simulated_network(tmp_path, balances) as network:
        results = await asyncio.gather(
            *(network.pay(payer, network.invoice("blog", msat)) for payer, msat in payments),
            return_exceptions=True,
        )
        assert network.total_msat() == sum(balances.values())
        paid = sum(isinstance(each, str) for each in results)
        assert len(network.settled("blog")) == paid
        assert len({payment_hash for payment_hash, _ in network.settled("blog")}) == paid
        assert all(network.balance_msat(name) >= 0 for name in balances)


async def test_a_deleted_keysend_is_paid_again(scene, client):
    """Why the node refuses an admin macaroon: the record in lnd is the only lock of a keysend."""
    place, preimage = scene.network.nodes["node"], secrets.token_bytes(32)
    payment_hash = hashlib.sha256(preimage).digest()
    keysend = {
        "dest": bytes.fromhex(scene.network.nodes["blog"].identity_pubkey),
        "payment_hash": payment_hash,
        "amt_msat": 5000,
        "dest_custom_records": {KEYSEND_RECORD: preimage},
    }
    async with client(place, place.admin_macaroon_path.read_bytes().hex()) as admin:
        await admin.send(**keysend)
        await admin.lightning.DeletePayment(ln.DeletePaymentRequest(payment_hash=payment_hash))
        await admin.send(**keysend)
    assert scene.network.settled("blog") == [(payment_hash.hex(), 5000)] * 2
    assert scene.network.total_msat() == scene.total_msat
