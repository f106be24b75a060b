"""A simulated Lightning network: several LND-shaped gRPC servers in one process.

    reader ──┐                     ┌── creator      each node: one loopback port, TLS, macaroons,
             ├── router (no port) ─┤                one channel to the router; the router takes the
    node   ──┘                     └── creator      fees and has no server of its own

The servers stand on the stubs that the node's own LND client uses, so that client connects as to
any lnd and runs the same code. Invoices are real BOLT11 of simnet (`lnsb…`). Money is conserved:
`total_msat` never changes. What can go wrong is in `Faults`; what really arrived is in `settled`
and `received_msat`, read from the receiver, so that a test never has to believe the payer.

    simulated_gate       TLS, macaroons, locked and starting
    simulated_lightning  the Lightning and State services
    simulated_router     SendPaymentV2, TrackPaymentV2
    simulated_payments   how a payment runs
    simulated_books      balances, invoices, payments
    simulated_faults     the switches
    simulated_invoice    BOLT11

State is in memory: a network that is closed is gone.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlencode

import grpc
from cryptography.hazmat.primitives.asymmetric import ec

from node.clock import Clock, SystemClock
from node.errors import NotFound, RailError
from node.wallet.lightning.simulated_books import FAILED, SUCCEEDED, Node, Payment
from node.wallet.lightning.simulated_faults import Faults, Switch
from node.wallet.lightning.simulated_gate import Door, Gate, make_door
from node.wallet.lightning.simulated_invoice import decode_invoice, public_key
from node.wallet.lightning.simulated_lightning import Lightning, State, write_invoice
from node.wallet.lightning.simulated_payments import RouteFees, World
from node.wallet.lightning.simulated_router import (
    CLTV_LIMIT_MAX,
    TIMEOUT_DEFAULT_S,
    Router,
    intent_of_invoice,
)
from node.wallet.lightning.stubs import (
    lightning_pb2,
    lightning_pb2_grpc,
    router_pb2_grpc,
    stateservice_pb2_grpc,
)

__all__ = [
    "Faults",
    "RouteFees",
    "SimulatedNetwork",
    "SimulatedNode",
    "Switch",
    "open_simulated_network",
]

HOST: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class SimulatedNode:
    """How to reach one node, and who it is (`identity_pubkey` in hex)."""

    name: str
    host: str
    port: int
    cert_path: Path
    macaroon_path: Path
    """May do all that the node needs; not DeletePayment."""
    admin_macaroon_path: Path
    identity_pubkey: str
    lndconnect: str
    """lndconnect://host:port?cert=…&macaroon=… (DER and macaroon, base64url without padding)."""


class SimulatedNetwork:
    """The nodes, the switches, and the truth about the money."""

    def __init__(self, world: World, nodes: Mapping[str, SimulatedNode]) -> None:
        self._world = world
        self.nodes: Mapping[str, SimulatedNode] = MappingProxyType(dict(nodes))
        self.faults = world.faults

    def received_msat(self, name: str) -> int:
        """What has arrived at this node in all, in msat."""
        return sum(amount_msat for _, amount_msat in self.settled(name))

    def settled(self, name: str) -> list[tuple[str, int]]:
        """(payment hash in hex, msat) of each arrival, in order: a hash twice was paid twice."""
        return list(self._world.nodes[name].receipts)

    def balance_msat(self, name: str) -> int:
        """What the node can spend, in msat, without what hangs in HTLCs."""
        return self._world.nodes[name].balance_msat

    def total_msat(self) -> int:
        """All money: balances, fees taken and HTLCs. Always the same number of msat."""
        return self._world.total_msat()

    @property
    def fees_taken_msat(self) -> int:
        """What the router has earned, in msat."""
        return self._world.router_msat

    def invoice(self, name: str, amount_msat: int, *, memo: str = "", expiry_s: int = 0) -> str:
        """Have a node write an invoice, in process; 0 msat lets the payer choose. The BOLT11 text.

        `expiry_s` 0 means lnd's default of a day.
        """
        request = lightning_pb2.Invoice(value_msat=amount_msat, memo=memo, expiry=expiry_s)
        node = self._world.nodes[name]
        return str(write_invoice(self._world, node, request).payment_request)

    async def pay(self, name: str, payment_request: str, amt_msat: int | None = None) -> str:
        """Have the node `name` pay an invoice, in process, spared by all faults. The preimage, hex.

        `amt_msat` may differ from the invoice's: the receiver takes up to twice as much. Expiry is
        for the receiver to judge. Raises BadInput for an unreadable invoice, RailError when it was
        not paid.
        """
        invoice = decode_invoice(payment_request)
        amt_msat = invoice.amount_msat if amt_msat is None else amt_msat
        limits = (self._world.fees.of(amt_msat), CLTV_LIMIT_MAX, TIMEOUT_DEFAULT_S)
        intent = intent_of_invoice(invoice, payment_request, amt_msat, limits)
        payment = self._world.initiate(self._world.nodes[name], intent, faultless=True)
        return await _paid(payment)

    def release(self, payment_hash: str) -> None:
        """Let a held payment settle. Raises NotFound when nothing of this hash is in flight."""
        self._held(payment_hash).verdict.set()

    def cancel(self, payment_hash: str) -> None:
        """Have the receiver refuse a held payment. Raises NotFound as `release`."""
        payment = self._held(payment_hash)
        payment.preimage_refused = True
        payment.verdict.set()

    def restart(self, name: str) -> None:
        """As if this node's lnd had been stopped and started: it keeps what it knew."""
        self._world.nodes[name].started_us = self._world.clock.now_us()

    def mine(self, blocks: int) -> None:
        """Raise the block height."""
        self._world.block_height += blocks

    def _held(self, payment_hash: str) -> Payment:
        payment = self._world.payment(payment_hash)
        if payment is None:
            raise NotFound(f"no payment of {payment_hash} is in flight")
        return payment


@asynccontextmanager
async def open_simulated_network(
    folder: Path,
    balances_msat: Mapping[str, int],
    *,
    clock: Clock | None = None,
    faults: Faults | None = None,
    fees: RouteFees | None = None,
) -> AsyncIterator[SimulatedNetwork]:
    """Serve one node for each name, with that many msat to spend, until the block ends.

    Certificates and macaroons go to `folder/<name>`. Dates and expiries are by `clock`; latency
    passes on the event loop. Payments that still run at the end are dropped.
    """
    world = World(
        nodes={name: _node(name, msat) for name, msat in balances_msat.items()},
        clock=clock or SystemClock(),
        faults=faults or Faults(),
        fees=fees or RouteFees(),
        router_pubkey=public_key(ec.generate_private_key(ec.SECP256K1())),
    )
    async with AsyncExitStack() as stack:
        reached: dict[str, SimulatedNode] = {}
        for name, node in world.nodes.items():
            door = make_door(folder / name)
            reached[name] = await stack.enter_async_context(_serve(world, node, door))
        stack.push_async_callback(world.aclose)
        yield SimulatedNetwork(world, reached)


@asynccontextmanager
async def _serve(world: World, node: Node, door: Door) -> AsyncIterator[SimulatedNode]:
    server = grpc.aio.server(
        interceptors=[Gate(node.name, door, world.faults)], options=[("grpc.so_reuseport", 0)]
    )
    lightning_pb2_grpc.add_LightningServicer_to_server(Lightning(world, node, door), server)
    router_pb2_grpc.add_RouterServicer_to_server(Router(world, node), server)
    stateservice_pb2_grpc.add_StateServicer_to_server(State(world, node), server)
    port = server.add_secure_port(f"{HOST}:0", door.credentials)
    await server.start()
    try:
        yield SimulatedNode(
            name=node.name,
            host=HOST,
            port=port,
            cert_path=door.cert_path,
            macaroon_path=door.macaroon_path,
            admin_macaroon_path=door.admin_macaroon_path,
            identity_pubkey=node.pubkey.hex(),
            lndconnect=_lndconnect(port, door),
        )
    finally:
        await server.stop(grace=None)


def _node(name: str, balance_msat: int) -> Node:
    key = ec.generate_private_key(ec.SECP256K1())
    return Node(name, key, public_key(key), balance_msat)


async def _paid(payment: Payment) -> str:
    while payment.status not in {SUCCEEDED, FAILED}:
        await payment.bell.next.wait()
    if payment.status == FAILED:
        reason = lightning_pb2.PaymentFailureReason.Name(payment.reason)
        raise RailError(f"the simulated payment failed: {reason}")
    return payment.preimage.hex()


def _lndconnect(port: int, door: Door) -> str:
    query: dict[str, Any] = {"cert": _base64url(door.cert_der)}
    query["macaroon"] = _base64url(door.macaroon)
    return f"lndconnect://{HOST}:{port}?{urlencode(query)}"


def _base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
