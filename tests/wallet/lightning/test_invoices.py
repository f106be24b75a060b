"""Deposits: one invoice for each, whatever crashes, and none that is paid is missed."""

import asyncio
from contextlib import aclosing

import pytest

from node.clock import ManualClock
from node.errors import ConfigError, RailUnavailable
from node.money import sats
from node.wallet.lightning.answers import InvoiceState
from node.wallet.lightning.connection import LndConnection
from node.wallet.lightning.invoices import LightningInvoices
from node.wallet.lightning.lnd import open_lnd
from node.wallet.lightning.simulated import open_simulated_network

SEED = bytes(range(32))


@pytest.fixture
async def network(tmp_path):
    balances = {"node": 0, "reader": 100_000_000}
    async with open_simulated_network(
        tmp_path, balances, clock=ManualClock(1_800_000_000)
    ) as opened:
        yield opened


@pytest.fixture
async def invoices(network):
    connection = LndConnection.from_lndconnect(network.nodes["node"].lndconnect)
    async with open_lnd(connection) as lnd:
        yield LightningInvoices(lnd, ManualClock(1_800_000_000), SEED)


async def test_the_hash_is_known_before_lnd_is_asked(invoices):
    expected = invoices.payment_hash_of("deposit-1")
    payment_hash, request = await invoices.create("deposit-1", sats(100), "pot", 600)
    assert payment_hash == expected
    assert request.startswith("lnsb")
    assert (await invoices.lookup(payment_hash)).state is InvoiceState.OPEN
    assert invoices.payment_hash_of("deposit-2") != expected


async def test_a_repeated_create_gives_the_same_invoice(invoices):
    first = await invoices.create("deposit-1", sats(100), "pot", 600)
    assert await invoices.create("deposit-1", sats(100), "pot", 600) == first


async def test_a_deposit_is_read_after_it_was_paid_whoever_listened(invoices, network):
    hashes = []
    for number in range(3):
        payment_hash, request = await invoices.create(f"d{number}", sats(10 + number), "", 600)
        await network.pay("reader", request)
        hashes.append(payment_hash)
    async with asyncio.timeout(10), aclosing(invoices.settled(1)) as stream:
        found = [await anext(stream) for _ in range(2)]
    assert [each.payment_hash for each in found] == hashes[1:]
    assert [each.amt_paid_msat for each in found] == [11_000, 12_000]
    first = await invoices.lookup(hashes[0])
    assert (first.state, first.settle_index) == (InvoiceState.SETTLED, 1)


async def test_an_overpaid_deposit_shows_what_really_came(invoices, network):
    payment_hash, request = await invoices.create("d", sats(10), "", 600)
    await network.pay("reader", request, 15_000)
    assert (await invoices.lookup(payment_hash)).amt_paid_msat == 15_000


async def test_a_lost_stream_is_taken_up_where_it_broke(invoices, network):
    pays = []
    for number in range(3):
        _, request = await invoices.create(f"d{number}", sats(10), "", 600)
        pays.append(request)
    await network.pay("reader", pays[0])
    await network.pay("reader", pays[1])
    breaks = iter([True, True, False])
    subscribe = invoices._lnd.subscribe_invoices

    async def flaky(settle_index):
        async with aclosing(subscribe(settle_index)) as stream:
            yield await anext(stream)
            if next(breaks):
                raise RailUnavailable("the connection broke")
            yield await anext(stream)

    invoices._lnd.subscribe_invoices = flaky
    await network.pay("reader", pays[2])
    async with asyncio.timeout(10), aclosing(invoices.settled(1)) as stream:
        assert [(await anext(stream)).settle_index for _ in range(2)] == [2, 3]


async def test_an_unreachable_lnd_is_asked_again_without_end(invoices, network):
    network.faults.unreachable.add("node")
    waits = []

    async def sleep(seconds):
        waits.append(seconds)
        if len(waits) == 9:
            network.faults.unreachable.clear()
            _, request = await invoices.create("d1", sats(10), "", 600)
            await network.pay("reader", request)

    invoices._clock.sleep = sleep
    network.faults.unreachable.clear()
    _, request = await invoices.create("d0", sats(10), "", 600)
    await network.pay("reader", request)
    network.faults.unreachable.add("node")
    async with asyncio.timeout(10), aclosing(invoices.settled(1)) as stream:
        assert (await anext(stream)).settle_index == 2
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


async def test_a_seed_of_another_size_is_refused(invoices):
    with pytest.raises(ConfigError, match="32"):
        LightningInvoices(invoices._lnd, ManualClock(0), b"short")
