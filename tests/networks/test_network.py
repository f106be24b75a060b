"""The local network does what the demo and the other tests need of it."""

import asyncio
import base64
import hashlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import grpc
import pytest
from lndgrpc.compiled import lightning_pb2 as ln
from lndgrpc.compiled import router_pb2 as router
from lndgrpc.compiled.lightning_pb2_grpc import LightningStub

from node.devnet.daemons import Daemons, ensure_daemons
from node.devnet.lightning import LightningNetwork, open_lightning_network
from node.devnet.nodes import PAYER_PERMISSIONS, DevNode
from node.errors import DaemonError

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.lnd,
    pytest.mark.xdist_group("lnd"),
]

SUCCEEDED = 2
AMOUNT_SAT = 5_000


async def pay(payer: DevNode, payee: DevNode, amount_sat: int = AMOUNT_SAT) -> tuple[Any, Any]:
    """Pay a fresh invoice of the payee; return the last word of the payment."""
    invoice = await payee.lightning.AddInvoice(ln.Invoice(value=amount_sat))
    request = router.SendPaymentRequest(
        payment_request=invoice.payment_request,
        timeout_seconds=30,
        fee_limit_msat=max(2_000, amount_sat * 1000 // 200),
        cltv_limit=576,
    )
    async with asyncio.timeout(60):
        *_, last = [word async for word in payer.router_rpc.SendPaymentV2(request)]
    return invoice, last


@pytest.mark.parametrize("amount_sat", [1, 400, 1_000_000])
async def test_a_payout_crosses_two_hops_and_pays_a_small_fee(
    lightning_network: LightningNetwork, amount_sat: int
) -> None:
    network = lightning_network
    _, payment = await pay(network.operator, network.creators, amount_sat)
    assert payment.status == SUCCEEDED
    assert len(payment.htlcs[0].route.hops) == 2
    assert 0 < payment.fee_msat <= max(2_000, amount_sat * 1000 // 200)


async def test_a_deposit_arrives_over_two_hops(lightning_network: LightningNetwork) -> None:
    network = lightning_network
    invoice, payment = await pay(network.readers, network.operator)
    assert payment.status == SUCCEEDED
    assert len(payment.htlcs[0].route.hops) == 2
    held = await network.operator.lightning.LookupInvoice(ln.PaymentHash(r_hash=invoice.r_hash))
    assert held.amt_paid_msat == AMOUNT_SAT * 1000
    assert hashlib.sha256(bytes.fromhex(payment.payment_preimage)).digest() == invoice.r_hash


async def test_a_reader_can_be_paid_back(lightning_network: LightningNetwork) -> None:
    _, payment = await pay(lightning_network.operator, lightning_network.readers)
    assert payment.status == SUCCEEDED


async def test_a_killed_node_starts_again_and_pays(lightning_network: LightningNetwork) -> None:
    network = lightning_network
    await network.kill(network.operator)
    with pytest.raises(grpc.aio.AioRpcError) as gone:
        await network.operator.lightning.GetInfo(ln.GetInfoRequest())
    assert gone.value.code() is grpc.StatusCode.UNAVAILABLE
    await network.start(network.operator)
    _, payment = await pay(network.operator, network.creators)
    assert payment.status == SUCCEEDED


async def test_a_stopped_router_starts_again_and_forwards(
    lightning_network: LightningNetwork,
) -> None:
    network = lightning_network
    await network.stop(network.router)
    await network.start(network.router)
    _, payment = await pay(network.readers, network.operator)
    assert payment.status == SUCCEEDED


async def test_two_dead_nodes_can_be_started_one_after_the_other(
    lightning_network: LightningNetwork,
) -> None:
    network = lightning_network
    await network.kill(network.router)
    await network.kill(network.readers)
    await network.start(network.readers)
    await network.start(network.router)
    _, payment = await pay(network.readers, network.operator)
    assert payment.status == SUCCEEDED


async def test_mined_blocks_reach_the_nodes(lightning_network: LightningNetwork) -> None:
    network = lightning_network
    before = await network.creators.lightning.GetInfo(ln.GetInfoRequest())
    await network.mine(2)
    async with asyncio.timeout(30):
        height = before.block_height
        while height < before.block_height + 2:
            height = (await network.creators.lightning.GetInfo(ln.GetInfoRequest())).block_height
    assert network.version == "0.21.1-beta"


async def test_the_payer_macaroon_pays_and_can_do_nothing_else(
    lightning_network: LightningNetwork,
) -> None:
    node = lightning_network.operator
    async with channel_with(node, node.payer_macaroon_path) as stub:
        assert (await stub.GetInfo(ln.GetInfoRequest())).identity_pubkey == node.identity_pubkey
        with pytest.raises(grpc.aio.AioRpcError, match="permission denied"):
            await stub.DeleteAllPayments(ln.DeleteAllPaymentsRequest())
        with pytest.raises(grpc.aio.AioRpcError, match="permission denied"):
            await stub.NewAddress(ln.NewAddressRequest())


async def test_every_permission_of_the_payer_is_one_that_lnd_has(
    lightning_network: LightningNetwork,
) -> None:
    known = await lightning_network.operator.lightning.ListPermissions(ln.ListPermissionsRequest())
    assert set(PAYER_PERMISSIONS) <= set(known.method_permissions)


async def test_a_macaroon_is_baked_for_what_is_asked(lightning_network: LightningNetwork) -> None:
    node = lightning_network.creators
    path = await lightning_network.bake(node, ["/lnrpc.Lightning/AddInvoice"])
    async with channel_with(node, path) as stub:
        assert (await stub.AddInvoice(ln.Invoice(value=1))).payment_request.startswith("lnsb")
        with pytest.raises(grpc.aio.AioRpcError, match="permission denied"):
            await stub.GetInfo(ln.GetInfoRequest())
    with pytest.raises(DaemonError, match="bakes no macaroon"):
        await lightning_network.bake(node, ["/lnrpc.Lightning/Nonsense"])


async def test_lndconnect_holds_the_certificate_and_the_macaroon(
    lightning_network: LightningNetwork,
) -> None:
    node = lightning_network.operator
    url = urlsplit(node.lndconnect)
    query = {key: _unbase64url(value) for key, [value] in parse_qs(url.query).items()}
    assert (url.scheme, url.hostname, url.port) == ("lndconnect", node.host, node.port)
    assert ssl.DER_cert_to_PEM_cert(query["cert"]).split() == node.cert_path.read_text().split()
    assert query["macaroon"] == node.macaroon_path.read_bytes()


async def test_a_network_that_cannot_start_leaves_no_process(tmp_path: Path) -> None:
    real = await ensure_daemons(print)
    broken = Daemons(btcd=real.btcd, lnd=Path("/bin/false"))
    with pytest.raises(DaemonError, match="has ended"):
        async with open_lightning_network(tmp_path, broken, print):
            pytest.fail("it can't be open")
    assert processes_of(tmp_path) == []


def processes_of(folder: Path) -> list[str]:
    """The command lines that name this folder."""
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # A process may end while we look.
            found += [text for text in [line.read_text()] if str(folder) in text]
    return found


@asynccontextmanager
async def channel_with(node: DevNode, macaroon_path: Path) -> AsyncIterator[LightningStub]:
    """The node's Lightning stub, with another macaroon."""
    credentials = credentials_with(node, macaroon_path)
    async with grpc.aio.secure_channel(f"{node.host}:{node.port}", credentials) as channel:
        yield LightningStub(channel)


def credentials_with(node: DevNode, macaroon_path: Path) -> Any:
    macaroon = macaroon_path.read_bytes().hex()
    return grpc.composite_channel_credentials(
        grpc.ssl_channel_credentials(node.cert_path.read_bytes()),
        grpc.metadata_call_credentials(lambda _, tell: tell((("macaroon", macaroon),), None)),
    )


def _unbase64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
