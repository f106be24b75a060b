"""Values that a chain answers with. Addresses have their checksum, hashes are `0x…` in lower case.

web3 gives dictionaries of its own kinds; a part that is missing or is something else raises one of
`UNREADABLE`, which whoever asked turns into RailUnavailable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from node.errors import NodeError
from node.wallet.stablecoin.words import read_address

UNREADABLE: Final = (KeyError, TypeError, ValueError, AttributeError)
"""What reading a malformed answer raises."""


@dataclass(frozen=True, slots=True)
class Block:
    """One block. `time_s` is its own timestamp."""

    number: int
    hash: str
    parent: str
    time_s: int
    base_fee_wei: int


@dataclass(frozen=True, slots=True)
class Log:
    """One event of a contract, undecoded."""

    address: str
    topics: tuple[bytes, ...]
    data: bytes
    block_number: int
    block_hash: str
    tx_hash: str
    index: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a transaction in the block that holds it.

    `gas_price_wei` is what each gas did cost. `l1_fee_wei` is what an OP-stack chain takes on top.
    """

    tx_hash: str
    block_number: int
    block_hash: str
    ok: bool
    gas_used: int
    gas_price_wei: int
    logs: tuple[Log, ...]
    l1_fee_wei: int = 0

    @property
    def fee_wei(self) -> int:
        """All that the sender paid for it."""
        return self.gas_used * self.gas_price_wei + self.l1_fee_wei


def read_block(answer: Mapping[str, Any]) -> Block:
    """A block of `eth_getBlockByNumber`."""
    return Block(
        number=read_number(answer["number"]),
        hash=_hash(answer["hash"]),
        parent=_hash(answer["parentHash"]),
        time_s=read_number(answer["timestamp"]),
        base_fee_wei=read_number(answer.get("baseFeePerGas", 0)),
    )


def read_log(answer: Mapping[str, Any]) -> Log:
    """A log of `eth_getLogs`, or of a receipt."""
    return Log(
        address=_address(answer["address"]),
        topics=tuple(bytes(topic) for topic in answer["topics"]),
        data=bytes(answer["data"]),
        block_number=read_number(answer["blockNumber"]),
        block_hash=_hash(answer["blockHash"]),
        tx_hash=_hash(answer["transactionHash"]),
        index=read_number(answer["logIndex"]),
    )


def read_receipt(answer: Mapping[str, Any]) -> Receipt:
    """A receipt of `eth_getTransactionReceipt`."""
    return Receipt(
        tx_hash=_hash(answer["transactionHash"]),
        block_number=read_number(answer["blockNumber"]),
        block_hash=_hash(answer["blockHash"]),
        ok=read_number(answer["status"]) == 1,
        gas_used=read_number(answer["gasUsed"]),
        gas_price_wei=read_number(answer["effectiveGasPrice"]),
        logs=tuple(read_log(log) for log in answer["logs"]),
        l1_fee_wei=read_number(answer.get("l1Fee") or 0),
    )


def read_number(value: Any) -> int:
    """A number, which an RPC writes as `0x…`. Raises ValueError for one below zero."""
    number = int(value, 16) if isinstance(value, str) else int(value)
    if number < 0:
        raise ValueError("a number below zero")
    return number


def _hash(value: Any) -> str:
    digest = bytes.fromhex(value.removeprefix("0x")) if isinstance(value, str) else bytes(value)
    if len(digest) != 32:  # noqa: PLR2004 - a hash is 32 bytes
        raise ValueError("not a hash")
    return f"0x{digest.hex()}"


def _address(value: Any) -> str:
    try:
        return read_address(value.lower())
    except NodeError as error:
        raise ValueError(str(error)) from error
