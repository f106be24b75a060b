"""Signatures of the model: an order written down. A name is a key: who has it can sign."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cache

from node.wallet.stablecoin.signer import Order, Signed
from node.wallet.stablecoin.words import to_address


@cache
def number_of(name: str) -> int:
    """The address of a name, as a number."""
    return int.from_bytes(hashlib.sha256(f"address of {name}".encode()).digest()[:20], "big")


@cache
def address_of(name: str) -> str:
    """The same, as people see it."""
    return to_address(number_of(name))


@dataclass(frozen=True, slots=True)
class Sent:
    """A signed transaction as the network understands it."""

    raw: bytes
    tx_hash: str
    sender: str
    order: Order

    @property
    def place(self) -> tuple[str, int]:
        """What it competes for: one of each key's nonces."""
        return self.sender, self.order.nonce


class ModelSigner:
    """Signs with the key of a name."""

    def __init__(self, name: str) -> None:
        self.address = address_of(name)

    def sign(self, order: Order) -> Signed:
        told = {**asdict(order), "data": order.data.hex(), "sender": self.address}
        raw = json.dumps(told, sort_keys=True).encode()
        return Signed(raw, hash_of(raw))


def hash_of(content: bytes) -> str:
    """What a transaction, or a block, is called."""
    return "0x" + hashlib.sha256(content).hexdigest()


def read(raw: bytes) -> Sent:
    """The transaction of these bytes."""
    told = json.loads(raw)
    sender = told.pop("sender")
    told["data"] = bytes.fromhex(told["data"])
    return Sent(raw, hash_of(raw), sender, Order(**told))
