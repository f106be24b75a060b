"""The Lightning network of one seed: the simulated nodes of the node's own code, without gRPC.

The nodes, their money, their invoices and how a payment runs are `simulated_*.py` as they are. Here
is what makes them quick and repeatable: keys that are made once, and invoices whose signature
is made up, for which the network remembers what it wrote instead of verifying it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, reduce
from operator import xor
from typing import Any, Final, TypeAlias
from unittest.mock import patch

from cryptography.hazmat.primitives.asymmetric import ec

from node.clock import Clock
from node.wallet.lightning import simulated_invoice
from node.wallet.lightning.simulated_books import (
    IN_FLIGHT,
    SUCCEEDED,
    Intent,
    Mask,
    Node,
    Payment,
)
from node.wallet.lightning.simulated_faults import Faults
from node.wallet.lightning.simulated_invoice import Bolt11, public_key
from node.wallet.lightning.simulated_lightning import write_invoice
from node.wallet.lightning.simulated_payments import World
from node.wallet.lightning.simulated_router import (
    CLTV_LIMIT_MAX,
    TIMEOUT_DEFAULT_S,
    intent_of_invoice,
)
from node.wallet.lightning.stubs import lightning_pb2

Say: TypeAlias = Callable[[str], None]
NODE: Final = "node"
OTHER: Final = "other"
"""Another lnd that answers at the node's address for a while."""
READERS_MSAT: Final = 10**10
NODE_MSAT: Final = 10**9
LIES_FOR_S: Final = 20
_GENERATORS: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_TABLE: Final = tuple(
    reduce(xor, (part for bit, part in enumerate(_GENERATORS) if top >> bit & 1), 0)
    for top in range(32)
)


class SpeakingNode(Node):
    """A node that says what arrives."""

    say: Say

    def settle(self, invoice: Any, intent: Intent, now_s: int) -> None:
        """See `Node.settle`."""
        super().settle(invoice, intent, now_s)
        self.say(f"{self.name} got {intent.payment_hash.hex()[:8]} {intent.amount_msat}")


class LyingWorld(World):
    """An lnd that may show a payment as SUCCEEDED, without its preimage, before it has ended."""

    def __init__(self, lies: Callable[[], bool], say: Say, **parts: Any) -> None:
        super().__init__(**parts)
        self._lies = lies
        self._say = say

    def initiate(self, payer: Node, intent: Intent, *, faultless: bool = False) -> Payment:
        """See `World.initiate`."""
        payment = super().initiate(payer, intent, faultless=faultless)
        self._say(f"{payer.name} pays {intent.payment_hash.hex()[:8]} {intent.amount_msat}")
        if not faultless and self._lies():
            until_us = self.clock.now_us() + LIES_FOR_S * 1_000_000
            payment.masks.append(Mask(SUCCEEDED, 2, until_us))
        return payment


class Network:
    """All Lightning nodes of one seed."""

    def __init__(
        self,
        clock: Clock,
        names: Sequence[str],
        faults: Faults,
        lies: Callable[[], bool],
        say: Say,
    ) -> None:
        rich = {NODE: NODE_MSAT, OTHER: NODE_MSAT}
        nodes = {
            name: _node(name, rich.get(name, READERS_MSAT * name.startswith("reader")), say)
            for name in (NODE, OTHER, *names)
        }
        self.world = LyingWorld(lies, say, nodes=nodes, clock=clock, faults=faults)
        self.known: dict[str, Bolt11] = {}
        self.total_msat = self.world.total_msat()

    def invoice(self, name: str, amount_msat: int, *, expiry_s: int = 3600) -> str:
        """Have a node write an invoice; the BOLT11 text."""
        request = lightning_pb2.Invoice(value_msat=amount_msat, memo="simulated", expiry=expiry_s)
        return str(write_invoice(self.world, self.world.nodes[name], request).payment_request)

    def pay(self, name: str, payment_request: str, amount_msat: int | None = None) -> Payment:
        """Have a reader's wallet pay, spared by all faults; it runs by itself. Raises LndAnswer."""
        invoice = self.known[payment_request]
        amount_msat = amount_msat or invoice.amount_msat
        limits = (self.world.fees.of(amount_msat), CLTV_LIMIT_MAX, TIMEOUT_DEFAULT_S)
        intent = intent_of_invoice(invoice, payment_request, amount_msat, limits)
        return self.world.initiate(self.world.nodes[name], intent, faultless=True)

    def payee(self, payment_request: str) -> str:
        """Whose invoice it is."""
        node = self.world.node_of(self.known[payment_request].payee)
        assert node is not None, "this network wrote it"
        return node.name

    def receipts(self, name: str) -> list[tuple[str, int]]:
        """(payment hash, msat) of each arrival at a node, in order: the truth."""
        return self.world.nodes[name].receipts

    def in_flight(self, name: str) -> list[Payment]:
        """Payments of a node that have not ended."""
        payments = self.world.nodes[name].payments.values()
        return [payment for payment in payments if payment.status == IN_FLIGHT]

    def own_msat(self) -> int:
        """What is the operator's, at both of the lnds, with what hangs in HTLCs."""
        mine = [self.world.nodes[name] for name in (NODE, OTHER)]
        locked_msat = sum(one.locked_msat for node in mine for one in node.payments.values())
        return locked_msat + sum(node.balance_msat for node in mine)

    def encode(self, invoice: Bolt11, key: Any) -> str:
        """`encode_invoice`, with a signature that nobody verifies."""
        text = simulated_invoice.encode_invoice(invoice, key)
        self.known[text] = invoice
        return text

    def decode(self, payment_request: str) -> Bolt11:
        """`decode_invoice`, for what this network wrote."""
        known = self.known.get(payment_request)
        return known or simulated_invoice.decode_invoice(payment_request)

    @contextmanager
    def opened(self) -> Iterator[None]:
        """The simulated nodes write and read invoices here, within this block."""
        base = "node.wallet.lightning.simulated_"
        with (
            patch(f"{base}books.encode_invoice", self.encode),
            patch(f"{base}router.decode_invoice", self.decode),
            patch(f"{base}lightning.decode_invoice", self.decode),
            patch(f"{base}invoice._sign", _made_up),
            patch("node.wallet.lightning.bolt11.can_be_signature", lambda *_: True),
            patch("bech32.bech32_polymod", polymod),
        ):
            yield


def _made_up(key: Any, hrp: str, words: list[int]) -> bytes:
    del key
    seen = hashlib.blake2b(hrp.encode() + bytes(words)).digest()
    return b"\x01" + seen[1:32] + b"\x01" + seen[33:]


def polymod(values: Iterable[int]) -> int:
    """bech32's checksum, by a table: a fifth of the time."""
    checksum = 1
    for value in values:
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value ^ _TABLE[checksum >> 25]
    return checksum


def _node(name: str, balance_msat: int, say: Say) -> Node:
    key, pubkey = key_of(name)
    node = SpeakingNode(name, key, pubkey, balance_msat)
    node.say = say
    return node


@cache
def key_of(name: str) -> tuple[ec.EllipticCurvePrivateKey, bytes]:
    """The key of a node of this name, the same in every seed."""
    secret = int.from_bytes(hashlib.sha256(name.encode()).digest()) % 2**255
    key = ec.derive_private_key(secret, ec.SECP256K1())
    return key, public_key(key)
