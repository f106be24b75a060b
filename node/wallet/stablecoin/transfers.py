"""The token's own word on what it has moved: the Transfer events of a receipt."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from eth_hash.auto import keccak

from node.wallet.stablecoin.answers import Log
from node.wallet.stablecoin.words import to_address

_TRANSFER: Final = keccak(b"Transfer(address,address,uint256)")
_TOPICS: Final = 3
_ADDRESS_BYTES: Final = 20


@dataclass(frozen=True, slots=True)
class Transfer:
    """So many base units went from one address to another."""

    sender: str
    to: str
    units: int


def transfers_in(logs: Iterable[Log], token: str) -> list[Transfer]:
    """What a token has moved, in order; what other contracts say is dropped."""
    return [
        Transfer(_address(log.topics[1]), _address(log.topics[2]), int.from_bytes(log.data, "big"))
        for log in logs
        if log.address == token and len(log.topics) == _TOPICS and log.topics[0] == _TRANSFER
    ]


def _address(topic: bytes) -> str:
    return to_address(int.from_bytes(topic[-_ADDRESS_BYTES:], "big"))
