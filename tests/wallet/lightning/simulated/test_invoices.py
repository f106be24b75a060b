"""Invoices, lists, macaroons and states of a simulated node."""

import asyncio
import hashlib
from urllib.parse import parse_qs, urlsplit

import grpc
import pytest

from node.wallet.lightning.stubs import lightning_pb2 as ln
from node.wallet.lightning.stubs import stateservice_pb2 as state

UNKNOWN = grpc.StatusCode.UNKNOWN
INFO = ln.GetInfoRequest()


async def test_a_node_says_who_it_is(scene):
    answer = await scene.node.lightning.GetInfo(INFO)
    assert answer.identity_pubkey == scene.network.nodes["node"].identity_pubkey
    assert (answer.alias, answer.version) == ("node", "simulated")
    assert (answer.chains[0].chain, answer.chains[0].network) == ("bitcoin", "simnet")
    assert answer.synced_to_chain
    assert answer.synced_to_graph
    scene.network.mine(6)
    assert (await scene.node.lightning.GetInfo(INFO)).block_height == answer.block_height + 6


async def test_lndconnect_carries_certificate_and_macaroon(scene):
    place = scene.network.nodes["node"]
    link = urlsplit(place.lndconnect)
    assert (link.scheme, link.netloc) == ("lndconnect", f"{place.host}:{place.port}")
    assert set(parse_qs(link.query)) == {"cert", "macaroon"}


async def test_a_wrong_or_missing_macaroon_is_denied(scene, client, refused):
    place = scene.network.nodes["node"]
    other = scene.network.nodes["blog"].macaroon_path.read_bytes().hex()
    for macaroon, text in ((other, "permission denied"), ("", "expected 1 macaroon, got 0")):
        async with client(place, macaroon) as lnd:
            assert await refused(lnd.lightning.GetInfo(INFO)) == (UNKNOWN, text)
            assert await refused(lnd.track(bytes(32))) == (UNKNOWN, text)


async def test_only_the_admin_macaroon_deletes_a_payment(scene, client, refused):
    place = scene.network.nodes["node"]
    invoice = await scene.blog.invoice()
    await scene.node.send(invoice.payment_request)
    request = ln.DeletePaymentRequest(payment_hash=invoice.r_hash)
    denied = await refused(scene.node.lightning.DeletePayment(request))
    assert denied == (UNKNOWN, "permission denied")
    async with client(place, place.admin_macaroon_path.read_bytes().hex()) as admin:
        await admin.lightning.DeletePayment(request)
        assert await admin.payments() == []


async def test_a_macaroon_can_be_asked_what_it_may_do(scene, refused):
    place, check = scene.network.nodes["node"], scene.node.lightning.CheckMacaroonPermissions
    method = "/lnrpc.Lightning/DeleteAllPayments"
    own, admin = place.macaroon_path.read_bytes(), place.admin_macaroon_path.read_bytes()
    assert (await check(ln.CheckMacPermRequest(macaroon=admin, fullMethod=method))).valid
    code, text = await refused(check(ln.CheckMacPermRequest(macaroon=own, fullMethod=method)))
    assert (code, text) == (grpc.StatusCode.INVALID_ARGUMENT, "permission denied")
    uri = ln.MacaroonPermission(entity="uri", action="/lnrpc.Lightning/AddInvoice")
    assert (await check(ln.CheckMacPermRequest(macaroon=own, permissions=[uri]))).valid
    write = ln.MacaroonPermission(entity="offchain", action="write")
    await refused(check(ln.CheckMacPermRequest(macaroon=own, permissions=[write])))


async def test_a_locked_starting_or_lost_node_says_so(scene, refused):
    faults, lnd = scene.network.faults, scene.node
    state_of = lnd.state.GetState
    faults.locked = {"node"}
    code, text = await refused(lnd.lightning.GetInfo(INFO))
    assert (code, text) == (UNKNOWN, "wallet locked, unlock it to enable full RPC access")
    assert (await state_of(state.GetStateRequest())).state == state.LOCKED
    faults.locked, faults.starting = set(), {"node"}
    code, text = await refused(lnd.lightning.GetInfo(INFO))
    assert (code, text.split(",")[0]) == (
        UNKNOWN,
        "the RPC server is in the process of starting up",
    )
    assert (await state_of(state.GetStateRequest())).state == state.UNLOCKED
    faults.starting, faults.unreachable = set(), {"node"}
    assert (await refused(lnd.lightning.GetInfo(INFO)))[0] is grpc.StatusCode.UNAVAILABLE
    faults.unreachable, faults.unsynced = set(), {"node"}
    assert not (await lnd.lightning.GetInfo(INFO)).synced_to_chain
    assert (await state_of(state.GetStateRequest())).state == state.SERVER_ACTIVE
    assert (await scene.blog.lightning.GetInfo(INFO)).synced_to_chain


async def test_an_invoice_says_what_was_asked_for(scene):
    preimage = bytes(range(32))
    added = await scene.blog.invoice(21_001, memo="ein Lied", r_preimage=preimage, expiry=600)
    assert added.r_hash == hashlib.sha256(preimage).digest()
    request = ln.PayReqString(pay_req=added.payment_request)
    said = await scene.node.lightning.DecodePayReq(request)
    assert said.destination == scene.network.nodes["blog"].identity_pubkey
    assert (said.num_msat, said.num_satoshis, said.expiry) == (21_001, 21, 600)
    assert (said.description, said.payment_hash) == ("ein Lied", added.r_hash.hex())
    assert said.payment_addr == added.payment_addr
    assert sorted(said.features) == [8, 14, 17]
    hashed = await scene.blog.invoice(description_hash=bytes(31) + b"x")
    request = ln.PayReqString(pay_req=hashed.payment_request.upper())
    said = await scene.node.lightning.DecodePayReq(request)
    assert said.description_hash == (bytes(31) + b"x").hex()


async def test_bad_invoices_are_refused(scene, refused):
    preimage = bytes(32)
    await scene.blog.invoice(r_preimage=preimage)
    again = await refused(scene.blog.invoice(r_preimage=preimage))
    assert again == (UNKNOWN, "invoice with payment hash already exists")
    for wrong in ({"memo": "x" * 640}, {"r_preimage": b"x"}, {"description_hash": b"x"}):
        assert (await refused(scene.blog.invoice(**wrong)))[0] is UNKNOWN
    assert (await refused(scene.blog.invoice(value=1)))[0] is UNKNOWN
    assert (await refused(scene.blog.invoice(-1)))[0] is UNKNOWN
    code, text = await refused(scene.blog.lookup(bytes(32)))
    assert (code, text) == (grpc.StatusCode.NOT_FOUND, "unable to locate invoice")


async def test_an_expired_invoice_is_canceled_and_takes_no_money(scene):
    invoice = await scene.blog.invoice(expiry=60)
    assert (await scene.blog.lookup(invoice.r_hash)).state == ln.Invoice.OPEN
    scene.clock.advance(61)
    assert (await scene.blog.lookup(invoice.r_hash)).state == ln.Invoice.CANCELED
    with pytest.raises(Exception, match="INCORRECT_PAYMENT_DETAILS"):
        await scene.network.pay("reader", invoice.payment_request)
    assert scene.network.settled("blog") == []


async def _take(call, count: int):
    async with asyncio.timeout(10):
        taken = [await call.read() for _ in range(count)]
    call.cancel()
    return taken


async def test_a_subscription_resumes_after_its_index_and_goes_on_live(scene):
    requests = [scene.network.invoice("blog", 1000 * n) for n in (1, 2, 3)]
    for request in requests[:2]:
        await scene.network.pay("reader", request)
    subscribe = scene.blog.lightning.SubscribeInvoices
    call = subscribe(ln.InvoiceSubscription(settle_index=1))
    await asyncio.gather(call.wait_for_connection(), scene.network.pay("reader", requests[2]))
    settled = await _take(call, 2)
    assert [each.settle_index for each in settled] == [2, 3]
    assert [each.amt_paid_msat for each in settled] == [2000, 3000]
    added = await _take(subscribe(ln.InvoiceSubscription(add_index=1)), 2)
    assert [each.add_index for each in added] == [2, 3]


async def test_a_first_subscription_replays_nothing(scene):
    await scene.network.pay("reader", scene.network.invoice("blog", 1000))
    call = scene.blog.lightning.SubscribeInvoices(ln.InvoiceSubscription())
    first = asyncio.create_task(_take(call, 1))
    while not first.done():
        await scene.blog.invoice(2000)
    (heard,) = await first
    assert heard.value_msat == 2000


async def test_lists_page_both_ways(scene):
    invoices = [await scene.blog.invoice(1000 * n) for n in (1, 2, 3)]
    for invoice in invoices:
        await scene.node.send(invoice.payment_request)
    await scene.node.send((await scene.blog.invoice()).payment_request, fee_limit_msat=0)
    lists, listed = scene.node.lightning.ListPayments, scene.blog.lightning.ListInvoices
    assert [each.status for each in await scene.node.payments()] == [2, 2, 2, 3]
    done = await lists(ln.ListPaymentsRequest(index_offset=1, max_payments=1))
    assert [each.value_msat for each in done.payments] == [2000]
    assert (done.first_index_offset, done.last_index_offset) == (2, 2)
    newest = await lists(ln.ListPaymentsRequest(reversed=True, max_payments=2))
    assert [each.payment_index for each in newest.payments] == [2, 3]
    pending = await listed(ln.ListInvoiceRequest(pending_only=True))
    assert [each.add_index for each in pending.invoices] == [4]
    page = await listed(ln.ListInvoiceRequest(index_offset=1, num_max_invoices=2))
    assert [each.r_hash for each in page.invoices] == [each.r_hash for each in invoices[1:]]


async def test_the_channel_shows_what_the_balance_shows(scene):
    channels = await scene.node.lightning.ListChannels(ln.ListChannelsRequest())
    assert channels.channels[0].local_balance == 100_000
    assert channels.channels[0].capacity == scene.total_msat // 1000
    pending = await scene.node.lightning.PendingChannels(ln.PendingChannelsRequest())
    assert pending.total_limbo_balance == 0
