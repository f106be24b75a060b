"""The demo's wallets: the node's own lnd, and those of the readers, the creators and the operator.

    readers ──── router ──── operator          wallet: where the operator's commission is received
                    │        (the node)
                 creators

Both networks have one face. On the simulated one each name is a simulated node; on the real one the
commission's wallet is on the readers' lnd, so that it crosses two hops like any payout. Everything
here goes by lnd's RPCs: paying is SendPaymentV2 at the payer, and what arrived is asked of the
receiver with ListInvoices, so nobody has to believe the node that paid.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import grpc
import grpc.aio

from node.clock import Clock
from node.devnet.daemons import ensure_daemons
from node.devnet.lightning import open_lightning_network
from node.devnet.lnurl import LnurlServer, open_lnurl_server
from node.devnet.nodes import DevNode
from node.errors import RailError
from node.wallet.lightning.simulated import SimulatedNode, open_simulated_network
from node.wallet.lightning.stubs import (
    lightning_pb2,
    lightning_pb2_grpc,
    router_pb2,
    router_pb2_grpc,
)

OPERATOR: Final = "operator"
"""The name of the operator's Lightning address."""
PAY_LIMIT_S: Final = 60
INVOICES_A_PAGE: Final = 1000
_BALANCE_MSAT: Final = 16_000_000_000
_SUCCEEDED, _FAILED = 2, 3
_SETTLED = lightning_pb2.Invoice.SETTLED


@dataclass(frozen=True, slots=True)
class Wallet:
    """One lnd as its owner uses it."""

    pubkey: str
    lightning: Any
    router: Any

    async def pay(self, payment_request: str) -> int:
        """Pay an invoice; the fee in msat. Raises RailError when it is not paid."""
        request = router_pb2.SendPaymentRequest(
            payment_request=payment_request,
            timeout_seconds=PAY_LIMIT_S,
            fee_limit_msat=10_000_000,
            no_inflight_updates=True,
        )
        try:
            async for payment in self.router.SendPaymentV2(request, timeout=2 * PAY_LIMIT_S):
                if payment.status == _SUCCEEDED:
                    return int(payment.fee_msat)
                if payment.status == _FAILED:
                    reason = lightning_pb2.PaymentFailureReason.Name(payment.failure_reason)
                    raise RailError(f"the reader's wallet could not pay: {reason}")
        except grpc.aio.AioRpcError as error:
            raise RailError(f"the reader's wallet could not pay: {error.details()}") from error
        raise RailError("the reader's wallet did not say what became of the payment")

    async def received(self) -> dict[str, int]:
        """What arrived: msat by payment hash in hex, as this lnd says."""
        arrived: dict[str, int] = {}
        offset = 0
        while True:
            request = lightning_pb2.ListInvoiceRequest(
                index_offset=offset, num_max_invoices=INVOICES_A_PAGE
            )
            page = await self.lightning.ListInvoices(request)
            for invoice in page.invoices:
                if invoice.state == _SETTLED:
                    arrived[invoice.r_hash.hex()] = int(invoice.amt_paid_msat)
            if not page.invoices:
                return arrived
            offset = page.last_index_offset


@dataclass(frozen=True, slots=True)
class DemoNetwork:
    """A running network. `label` is what the demo's last line calls it."""

    label: str
    simulated: bool
    lndconnect: str
    """Of the node's own lnd."""
    readers: Wallet
    creators: Wallet
    operator: Wallet
    lnurl: LnurlServer

    @property
    def fetch_allow(self) -> frozenset[str]:
        """The LNURL server, which is on this machine."""
        return frozenset({self.lnurl.address("").removeprefix("@")})

    @property
    def operator_target(self) -> str:
        """Where the commission is paid."""
        return self.lnurl.address(OPERATOR)


@asynccontextmanager
async def open_simulated(
    folder: Path, creators: list[str], clock: Clock | None = None
) -> AsyncIterator[DemoNetwork]:
    """Four simulated nodes in this process, and Lightning addresses for these creators.

    `clock` dates the invoices; without it the machine's does.
    """
    names = ("operator", "readers", "creators", "wallet")
    async with AsyncExitStack() as stack:
        network = await stack.enter_async_context(
            open_simulated_network(folder, dict.fromkeys(names, _BALANCE_MSAT), clock=clock)
        )
        wallets = {
            name: await stack.enter_async_context(_open_wallet(network.nodes[name]))
            for name in names[1:]
        }
        lnurl = await stack.enter_async_context(_open_addresses(wallets, creators))
        yield DemoNetwork(
            label="simulated",
            simulated=True,
            lndconnect=network.nodes["operator"].lndconnect,
            readers=wallets["readers"],
            creators=wallets["creators"],
            operator=wallets["wallet"],
            lnurl=lnurl,
        )


@asynccontextmanager
async def open_real(
    folder: Path, creators: list[str], tell: Callable[[str], None]
) -> AsyncIterator[DemoNetwork]:
    """Start btcd and four lnds on this machine. Raises DaemonError."""
    async with AsyncExitStack() as stack:
        daemons = await ensure_daemons(tell)
        network = await stack.enter_async_context(open_lightning_network(folder, daemons, tell))
        node = network.operator
        readers = _wallet_of(network.readers)
        wallets = {"creators": _wallet_of(network.creators), "wallet": readers}
        lnurl = await stack.enter_async_context(_open_addresses(wallets, creators))
        yield DemoNetwork(
            label=f"lnd {network.version}",
            simulated=False,
            lndconnect=node.lndconnect_with(node.payer_macaroon_path),
            readers=readers,
            creators=wallets["creators"],
            operator=readers,
            lnurl=lnurl,
        )


@asynccontextmanager
async def _open_wallet(node: SimulatedNode) -> AsyncIterator[Wallet]:
    macaroon = node.admin_macaroon_path.read_bytes().hex()

    def sign(context: Any, callback: Any) -> None:
        del context
        callback((("macaroon", macaroon),), None)

    credentials = grpc.composite_channel_credentials(
        grpc.ssl_channel_credentials(node.cert_path.read_bytes()),
        grpc.metadata_call_credentials(sign),
    )
    async with grpc.aio.secure_channel(f"{node.host}:{node.port}", credentials) as channel:
        yield Wallet(
            node.identity_pubkey,
            lightning_pb2_grpc.LightningStub(channel),
            router_pb2_grpc.RouterStub(channel),
        )


@asynccontextmanager
async def _open_addresses(
    wallets: Mapping[str, Wallet], creators: list[str]
) -> AsyncIterator[LnurlServer]:
    """An address for each creator and the operator, whose invoices are their wallets' own."""
    served = dict.fromkeys(creators, wallets["creators"].lightning)
    served[OPERATOR] = wallets["wallet"].lightning
    async with open_lnurl_server(served) as server:
        yield server


def _wallet_of(node: DevNode) -> Wallet:
    return Wallet(node.identity_pubkey, node.lightning, node.router_rpc)
