"""A dozen kill -9 on real lnd and anvil, counted at the receivers: a sample of `make chaos`."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import grpc
import grpc.aio
import pytest
import pytest_asyncio
from lndgrpc.compiled import invoices_pb2 as invoices
from lndgrpc.compiled.invoices_pb2_grpc import InvoicesStub

from node.devnet.lightning import LightningNetwork
from node.devnet.nodes import DevNode
from tests.chaos.coin import play_coin
from tests.chaos.episode import Episode
from tests.chaos.rig import Rig, open_rig_on
from tests.chaos.run import play
from tests.chaos.schedule import Planned
from tests.chaos.tally import Tally

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.lnd,
    pytest.mark.anvil,
    pytest.mark.xdist_group("lnd"),
]

SEED = 20_261_123


def demand_clean(tally: Tally, kills: int) -> None:
    words = "\n".join(tally.table())
    print(words)
    assert tally.clean, words
    assert tally.killed >= kills
    assert tally.audits == 1
    assert tally.arrived == tally.booked


@pytest_asyncio.fixture(loop_scope="session")
async def rig(lightning_network: LightningNetwork, tmp_path: Path):
    async with open_rig_on(lightning_network, tmp_path, Tally()) as opened:
        yield opened


async def test_kills_of_node_and_lnd_pay_everybody_once(rig: Rig) -> None:
    planned = Planned(0, coin=False, strikes=("node", "node", "lnd"))
    await play(rig, Random(SEED), planned, print)
    demand_clean(rig.tally, kills=7)
    assert rig.tally.arrived["lightning payments"] > 50


@asynccontextmanager
async def open_invoices(node: DevNode) -> AsyncIterator[Any]:
    """Calls for invoices that their receiver holds: (method name, request) to the answer."""
    credentials = grpc.ssl_channel_credentials(node.cert_path.read_bytes())
    metadata = (("macaroon", node.macaroon_path.read_bytes().hex()),)
    async with grpc.aio.secure_channel(f"{node.host}:{node.port}", credentials) as channel:
        stub = InvoicesStub(channel)
        yield lambda name, request: getattr(stub, name)(request, metadata=metadata)


async def test_what_a_receiver_holds_is_neither_paid_nor_lost_until_it_takes_it(
    rig: Rig, tmp_path: Path
) -> None:
    preimage = secrets.token_bytes(32)
    held = hashlib.sha256(preimage).digest()
    episode = Episode(rig, Random(SEED), "held", tmp_path / "held")
    async with open_invoices(rig.network.creators) as call:
        await episode.settle_in()
        try:
            await episode.open_store()
            await episode.deposits(0)
            order = invoices.AddHoldInvoiceRequest(hash=held, value=3, expiry=30 * 86_400)
            made = await call("AddHoldInvoice", order)
            orders = [{"name": episode.members[0], "request": made.payment_request, "key": "held"}]
            await episode.life.tell("withdraw_all", orders=orders)
            await episode.rest()
            await episode.judge()
            assert rig.tally.clean, rig.tally.table()
            assert (len(rig.tally.held), rig.tally.booked.total()) == (1, 0)
            await call("SettleInvoice", invoices.SettleInvoiceMsg(preimage=preimage))
            await episode.rest()
            rig.tally = Tally()
            await episode.judge()
        finally:
            await episode.end(None, None, None)
    assert rig.tally.clean, rig.tally.table()
    assert rig.tally.held == []
    assert rig.tally.arrived == rig.tally.booked
    assert rig.tally.arrived["lightning msat"] == 3000


async def test_kills_of_node_and_anvil_pay_everybody_once(rig: Rig) -> None:
    planned = Planned(1, coin=True, strikes=("anvil",) * 3)
    await play_coin(rig, Random(SEED), planned, print)
    demand_clean(rig.tally, kills=5)
    assert rig.tally.arrived["stablecoin payments"] == 20
