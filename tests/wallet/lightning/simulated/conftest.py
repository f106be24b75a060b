"""A simulated network of three nodes, and an ordinary gRPC client for two of them."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass

import grpc
import pytest

from node.clock import ManualClock
from node.wallet.lightning.simulated import SimulatedNetwork, open_simulated_network
from node.wallet.lightning.stubs import lightning_pb2 as ln
from node.wallet.lightning.stubs import lightning_pb2_grpc as ln_grpc
from node.wallet.lightning.stubs import router_pb2 as router
from node.wallet.lightning.stubs import router_pb2_grpc as router_grpc
from node.wallet.lightning.stubs import stateservice_pb2_grpc as state_grpc

START_S = 1_800_000_000
BALANCES = {"node": 100_000_000, "blog": 0, "reader": 50_000_000}
WAIT_S = 10


class Lnd:
    """One channel to one node, as any client opens it."""

    def __init__(self, channel) -> None:
        self.lightning = ln_grpc.LightningStub(channel)
        self.router = router_grpc.RouterStub(channel)
        self.state = state_grpc.StateStub(channel)

    async def invoice(self, value_msat=21_000, **fields):
        return await self.lightning.AddInvoice(ln.Invoice(value_msat=value_msat, **fields))

    async def lookup(self, r_hash):
        return await self.lightning.LookupInvoice(ln.PaymentHash(r_hash=r_hash))

    async def send(self, payment_request="", fee_limit_msat=1_000_000, **fields):
        """Every message of SendPaymentV2's stream."""
        request = router.SendPaymentRequest(
            payment_request=payment_request, fee_limit_msat=fee_limit_msat, **fields
        )
        async with asyncio.timeout(WAIT_S):
            return [message async for message in self.router.SendPaymentV2(request)]

    async def start(self, payment_request):
        """Send, hear IN_FLIGHT, and hang up."""
        request = router.SendPaymentRequest(
            payment_request=payment_request, fee_limit_msat=1_000_000
        )
        call = self.router.SendPaymentV2(request)
        async with asyncio.timeout(WAIT_S):
            first = await call.read()
        call.cancel()
        return first

    async def track(self, r_hash, **fields):
        """Every message of TrackPaymentV2's stream: so it waits for the end."""
        request = router.TrackPaymentRequest(payment_hash=r_hash, **fields)
        async with asyncio.timeout(WAIT_S):
            return [message async for message in self.router.TrackPaymentV2(request)]

    async def look(self, r_hash):
        """What TrackPaymentV2 says first."""
        call = self.router.TrackPaymentV2(router.TrackPaymentRequest(payment_hash=r_hash))
        async with asyncio.timeout(WAIT_S):
            message = await call.read()
            if message == grpc.aio.EOF:
                raise grpc.aio.AioRpcError(await call.code(), None, None, await call.details())
        call.cancel()
        return message

    async def payments(self):
        request = ln.ListPaymentsRequest(include_incomplete=True)
        return list((await self.lightning.ListPayments(request)).payments)

    async def balance_msat(self):
        answer = await self.lightning.ChannelBalance(ln.ChannelBalanceRequest())
        return answer.local_balance.msat


@asynccontextmanager
async def open_lnd(place, macaroon=None):
    """A client of `place`, with its macaroon or another one in hex."""
    secret = place.macaroon_path.read_bytes().hex() if macaroon is None else macaroon
    call = grpc.metadata_call_credentials(
        lambda _, answer: answer((("macaroon", secret),) if secret else (), None)
    )
    tls = grpc.ssl_channel_credentials(place.cert_path.read_bytes())
    credentials = grpc.composite_channel_credentials(tls, call)
    target = f"{place.host}:{place.port}"
    async with grpc.aio.secure_channel(target, credentials) as channel:
        yield Lnd(channel)


@dataclass(frozen=True)
class Scene:
    network: SimulatedNetwork
    clock: ManualClock
    node: Lnd
    """Pays."""
    blog: Lnd
    """Is paid."""
    total_msat: int

    def settled_once(self, r_hash, amount_msat=21_000):
        """The receiver got it exactly once, and no money came or went."""
        assert self.network.settled("blog") == [(r_hash.hex(), amount_msat)]
        assert self.network.total_msat() == self.total_msat


@asynccontextmanager
async def _open_scene(folder, faults=None, balances=None):
    clock, balances = ManualClock(START_S), balances or BALANCES
    async with (
        open_simulated_network(folder, balances, clock=clock, faults=faults) as network,
        open_lnd(network.nodes["node"]) as node,
        open_lnd(network.nodes["blog"]) as blog,
    ):
        yield Scene(network, clock, node, blog, sum(balances.values()))


@pytest.fixture
def open_scene(tmp_path):
    """`async with open_scene(faults, balances)`: a network with these switches."""
    return lambda *settings: _open_scene(tmp_path, *settings)


@pytest.fixture
async def scene(tmp_path):
    async with _open_scene(tmp_path) as opened:
        yield opened


@pytest.fixture
def client():
    """`async with client(place, macaroon)`: an Lnd."""
    return open_lnd


@pytest.fixture
def refused():
    """`await refused(call)`: (code, text) of the refusal; fails when the call was fine."""

    async def expect(call):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call
        return caught.value.code(), caught.value.details()

    return expect
