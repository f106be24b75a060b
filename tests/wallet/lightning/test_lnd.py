"""The client of lnd: what it reads, and in which words it fails."""

import asyncio
import hashlib
from contextlib import aclosing

import pytest

from node.clock import ManualClock
from node.errors import ConfigError, RailUnavailable
from node.wallet.lightning.answers import (
    InvoiceState,
    PaymentStatus,
    WalletState,
    read_outbound,
    read_payment,
)
from node.wallet.lightning.connection import LndConnection
from node.wallet.lightning.lnd import open_lnd
from node.wallet.lightning.simulated import open_simulated_network
from node.wallet.lightning.stubs import lightning_pb2

START_S = 1_800_000_000
UNKNOWN_HASH = "ab" * 32


@pytest.fixture
def clock():
    return ManualClock(START_S)


@pytest.fixture
async def network(tmp_path, clock):
    balances = {"node": 100_000_000, "blog": 0}
    async with open_simulated_network(tmp_path, balances, clock=clock) as opened:
        yield opened


@pytest.fixture
async def lnd(network):
    connection = LndConnection.from_lndconnect(network.nodes["node"].lndconnect)
    async with open_lnd(connection) as opened:
        yield opened


def by_paths(place, macaroon_path=None):
    address = f"{place.host}:{place.port}"
    return LndConnection.from_paths(address, place.cert_path, macaroon_path or place.macaroon_path)


async def eventually(read, fits):
    """What `read` gives once it fits; each read is a call to lnd, so nothing sleeps."""
    value = None
    for _ in range(2000):
        value = await read()
        if fits(value):
            return value
    raise AssertionError(f"still {value}")


async def until_final(lnd, payment_hash):
    return await eventually(
        lambda: lnd.track(payment_hash), lambda view: view.status is not PaymentStatus.IN_FLIGHT
    )


async def test_it_says_who_lnd_is(lnd, network):
    node = await lnd.read_node()
    assert node.pubkey == network.nodes["node"].identity_pubkey
    assert (node.network, node.network_prefix, node.synced_to_chain) == ("simnet", "sb", True)
    assert node.best_header_s == START_S
    assert await lnd.wallet_state() is WalletState.SERVER_ACTIVE
    assert await lnd.channel_balance_msat() == 100_000_000
    assert (await lnd.outbound()).spendable_msat == 100_000_000


async def test_a_paid_invoice_shows_its_preimage_and_its_fee(lnd, network):
    request = network.invoice("blog", 21_000)
    decoded = await lnd.decode_pay_req(request)
    assert (decoded.amount_msat, decoded.payee) == (
        21_000,
        network.nodes["blog"].identity_pubkey,
    )
    answer = await lnd.pay_invoice(request, fee_limit_msat=2000)
    assert answer.payment.status is PaymentStatus.SUCCEEDED
    view = await until_final(lnd, decoded.payment_hash)
    assert view.status is PaymentStatus.SUCCEEDED
    assert hashlib.sha256(bytes.fromhex(view.preimage)).hexdigest() == decoded.payment_hash
    assert (view.value_msat, view.fee_msat, view.htlcs_in_flight) == (21_000, 1000, 0)
    assert network.settled("blog") == [(decoded.payment_hash, 21_000)]


async def test_a_payment_that_lnd_does_not_show_is_a_value_not_an_error(lnd):
    assert await lnd.track(UNKNOWN_HASH) is None
    assert await lnd.lookup_invoice(UNKNOWN_HASH) is None
    assert await lnd.decode_pay_req("lnsb1nonsense") is None
    assert not await lnd.hash_on_a_channel(UNKNOWN_HASH)


async def test_a_second_send_is_no_verdict(lnd, network):
    request = network.invoice("blog", 21_000)
    await lnd.pay_invoice(request, fee_limit_msat=2000)
    again = await lnd.pay_invoice(request, fee_limit_msat=2000)
    assert again.payment is None
    assert "ALREADY_EXISTS" in again.words


async def test_a_held_payment_is_on_a_channel(lnd, network):
    network.faults.hold.next_count = 1
    request = network.invoice("blog", 21_000)
    payment_hash = (await lnd.decode_pay_req(request)).payment_hash
    await lnd.pay_invoice(request, fee_limit_msat=2000)
    assert await eventually(lambda: lnd.hash_on_a_channel(payment_hash), bool)
    assert (await lnd.track(payment_hash)).htlcs_in_flight == 1
    network.release(payment_hash)
    assert (await until_final(lnd, payment_hash)).status is PaymentStatus.SUCCEEDED


async def test_all_payments_are_listed_page_by_page(lnd, network, monkeypatch):
    monkeypatch.setattr("node.wallet.lightning.lnd.PAYMENTS_PER_PAGE", 2)
    hashes = []
    for _ in range(5):
        request = network.invoice("blog", 1000)
        await lnd.pay_invoice(request, fee_limit_msat=2000)
        hashes.append((await lnd.decode_pay_req(request)).payment_hash)
    assert [view.payment_hash async for view in lnd.list_payments()] == hashes


@pytest.mark.parametrize(
    ("switch", "words"),
    [("locked", "lncli unlock"), ("starting", "lnd is starting"), ("unreachable", "reached")],
)
async def test_lnd_that_can_not_answer_is_unavailable_in_words(lnd, network, switch, words):
    getattr(network.faults, switch).add("node")
    with pytest.raises(RailUnavailable, match=words):
        await lnd.read_node()
    with pytest.raises(RailUnavailable, match=words):
        await lnd.track(UNKNOWN_HASH)
    with pytest.raises(RailUnavailable, match=words):
        await lnd.holds_dangerous_permissions()
    assert (await lnd.pay_invoice("lnsb1", fee_limit_msat=0)).payment is None


async def test_a_locked_wallet_still_says_so(lnd, network):
    network.faults.locked.add("node")
    assert await lnd.wallet_state() is WalletState.LOCKED


async def test_an_admin_macaroon_is_told_from_a_baked_one(lnd, network):
    place = network.nodes["node"]
    assert not await lnd.holds_dangerous_permissions()
    async with open_lnd(by_paths(place, place.admin_macaroon_path)) as admin:
        assert await admin.holds_dangerous_permissions()


async def test_a_denied_macaroon_names_the_command_that_bakes_a_good_one(network, tmp_path):
    bad = tmp_path / "bad.macaroon"
    bad.write_bytes(b"\x02\x01nobody")
    async with open_lnd(by_paths(network.nodes["node"], bad)) as lnd:
        with pytest.raises(ConfigError, match=r"lncli bakemacaroon .*uri:/lnrpc.Lightning/GetInfo"):
            await lnd.read_node()


async def test_a_replaced_macaroon_file_is_read_without_a_restart(network, tmp_path):
    place = network.nodes["node"]
    path = tmp_path / "used.macaroon"
    path.write_bytes(b"\x02\x01old")
    async with open_lnd(by_paths(place, path)) as lnd:
        path.write_bytes(place.macaroon_path.read_bytes())
        assert (await lnd.read_node()).pubkey == place.identity_pubkey


async def test_an_invoice_with_our_preimage_settles_in_the_stream(lnd, network):
    preimage = bytes(range(32))
    request = await lnd.add_invoice(preimage, amount_msat=5000, memo="deposit", expiry_s=600)
    assert await lnd.add_invoice(preimage, amount_msat=5000, memo="x", expiry_s=600) is None
    payment_hash = hashlib.sha256(preimage).hexdigest()
    assert (await lnd.lookup_invoice(payment_hash)).state is InvoiceState.OPEN
    await network.pay("node", network.invoice("blog", 50_000))
    await network.pay("blog", request)
    second = await lnd.add_invoice(bytes(32), amount_msat=6000, memo="", expiry_s=600)
    await network.pay("blog", second)
    async with asyncio.timeout(10), aclosing(lnd.subscribe_invoices(1)) as stream:
        settled = await anext(stream)
    assert (settled.amt_paid_msat, settled.settle_index) == (6000, 2)
    assert settled.settle_date_s == START_S
    view = await lnd.lookup_invoice(payment_hash)
    assert (view.state, view.amt_paid_msat) == (InvoiceState.SETTLED, 5000)


def test_a_status_that_the_stubs_do_not_know_is_no_verdict():
    initiated = read_payment(lightning_pb2.Payment(status=4, failure_reason=6))
    assert initiated.status is PaymentStatus.INITIATED
    assert initiated.failure_reason == "canceled"
    assert read_payment(lightning_pb2.Payment(status=77)).status is PaymentStatus.UNKNOWN


def test_reserves_and_inactive_channels_can_not_be_sent():
    channels = [
        lightning_pb2.Channel(active=True, local_balance=1000, local_chan_reserve_sat=100),
        lightning_pb2.Channel(
            active=True,
            local_balance=500,
            initiator=True,
            commit_fee=300,
            local_chan_reserve_sat=50,
        ),
        lightning_pb2.Channel(active=True, local_balance=10, local_chan_reserve_sat=100),
        lightning_pb2.Channel(active=False, local_balance=9000),
    ]
    outbound = read_outbound(channels)
    assert (outbound.spendable_msat, outbound.largest_msat) == (1_050_000, 900_000)
    assert (outbound.active, outbound.inactive) == (3, 1)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://host:10009?macaroon=AgE",
        "lndconnect://?macaroon=AgE",
        "lndconnect://host:10009",
        "lndconnect://host:nonsense?macaroon=AgE",
        "lndconnect://host:10009?macaroon=A",
    ],
)
def test_a_url_that_is_none_says_what_to_write(url):
    with pytest.raises(ConfigError, match="write lndconnect://host:10009"):
        LndConnection.from_lndconnect(url)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match="cert_path"):
        LndConnection.from_paths("127.0.0.1:1", tmp_path / "no.cert", tmp_path / "no.macaroon")
    (tmp_path / "tls.cert").write_text("pem")
    with pytest.raises(ConfigError, match="macaroon_path"):
        LndConnection.from_paths("127.0.0.1:1", tmp_path / "tls.cert", tmp_path / "no.macaroon")


def test_a_macaroon_is_not_printed():
    connection = LndConnection.from_lndconnect("lndconnect://[::1]:10009?macaroon=AgEDbG5k")
    assert connection.address == "[::1]:10009"
    assert "020103" not in repr(connection)
