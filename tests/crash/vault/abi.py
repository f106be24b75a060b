"""Calldata read and events written, for the model of the vault: the words of the ABI.

Addresses are numbers here; the node's own encoder (`words.py`) makes the calldata that this reads.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from eth_hash.auto import keccak

WORD: Final = 32
SELECTOR: Final = 4

EVENTS: Final = {
    "Deposited": "address! address! uint256 address",
    "PotSet": "address! uint256",
    "ExitRequested": "address! uint256",
    "Withdrawn": "address! address uint256",
    "Claimed": "address! uint256",
    "MonthOpened": "uint256!",
    "Charged": "uint256! uint256 uint256",
    "ChargeShort": "uint256! address! uint256 uint256",
    "MonthSealed": "uint256! bytes32 uint256 uint256 uint256 bytes32 uint256",
    "MonthVetoed": "uint256!",
    "BatchPaid": "uint256! uint256! uint256 uint256 uint256",
    "PaymentDeferred": "uint256! address! uint256",
    "CommissionPaid": "uint256! address! uint256",
    "CommissionDeferred": "uint256! address! uint256",
    "Abandoned": "uint256! uint256",
    "Reclaimed": "uint256! address! uint256",
    "PausedSet": "address! uint256",
    "Transfer": "address! address! uint256",
    "Approval": "address! address! uint256",
}
"""Types in their order; `!` is an indexed one."""


def number(units: int) -> bytes:
    """A word."""
    return units.to_bytes(WORD, "big")


@cache
def selector(signature: str) -> bytes:
    return keccak(signature.encode())[:SELECTOR]


@cache
def kinds_of(signature: str) -> tuple[str, ...]:
    """The types of a function's arguments."""
    inside = signature[signature.index("(") + 1 : -1]
    return tuple(inside.split(",")) if inside else ()


def arguments(signature: str, content: bytes) -> list[int | list[int]]:
    """What a call of this function was given. Raises ValueError for calldata that is too short."""
    found: list[int | list[int]] = []
    for place, kind in enumerate(kinds_of(signature)):
        head = _word(content, place * WORD)
        if not kind.endswith("[]"):
            found.append(head)
            continue
        length = _word(content, head)
        if len(content) < head + WORD * (1 + length):
            raise ValueError("an array that is cut off")
        found.append([_word(content, head + WORD * (1 + item)) for item in range(length)])
    return found


@cache
def _event(name: str) -> tuple[bytes, tuple[bool, ...]]:
    """(its topic, which arguments are indexed)."""
    kinds = EVENTS[name].split()
    types = ",".join(kind.rstrip("!") for kind in kinds)
    return keccak(f"{name}({types})".encode()), tuple(kind.endswith("!") for kind in kinds)


def event(name: str, *values: int) -> tuple[tuple[bytes, ...], bytes]:
    """(topics, data) of an event."""
    topic, indexed = _event(name)
    words = [number(value) for value in values]
    topics = [word for word, is_topic in zip(words, indexed, strict=True) if is_topic]
    rest = [word for word, is_topic in zip(words, indexed, strict=True) if not is_topic]
    return (topic, *topics), b"".join(rest)


def _word(content: bytes, at: int) -> int:
    if len(content) < at + WORD:
        raise ValueError("calldata that is cut off")
    return int.from_bytes(content[at : at + WORD], "big")
