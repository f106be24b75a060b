"""What a contract reads and writes, in its words of 32 bytes.

Everything that the vault takes and says is made of whole words, and of arrays of them, so this page
is all of the ABI that is needed:

    number     big-endian
    address    20 bytes, behind 12 zeros; people see it with the checksum of EIP-55
    array      its place in the head; there the number of items, and the items
    bytes      the same, with the number of bytes, and zeros up to a whole word
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, TypeAlias

from eth_hash.auto import keccak

from node.errors import BadTarget

WORD_BYTES: Final = 32
ADDRESS_BITS: Final = 160
ZERO_ADDRESS: Final = "0x" + 40 * "0"
UNITS_MAX: Final = 2**96 - 1
"""The most that a word of the vault can say beside an address."""
_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}")
_SELECTOR_BYTES: Final = 4

Argument: TypeAlias = int | str | bytes | Sequence[int] | Sequence[bytes]
"""A number, an address, 32 bytes, or an array of numbers or of 32 bytes."""


def word(address: str, units: int) -> int:
    """One member of a charge, or one recipient of a batch: `address << 96 | units`."""
    if not 0 <= units <= UNITS_MAX:
        raise ValueError(f"{units} units do not fit beside an address")
    return int(address, 16) << 96 | units


def from_word(packed: int) -> tuple[str, int]:
    """The address and the units of a word."""
    return to_address(packed >> 96), packed & UNITS_MAX


def to_address(number: int) -> str:
    """The address of 160 bits, with its checksum (EIP-55). Raises ValueError for more bits."""
    if number >> ADDRESS_BITS:
        raise ValueError("more than an address")
    digits = f"{number:040x}"
    marks = keccak(digits.encode()).hex()
    pairs = zip(digits, marks, strict=False)
    return "0x" + "".join(d.upper() if m > "7" else d for d, m in pairs)


def read_address(text: str) -> str:
    """The address that a person wrote, with its checksum. Raises BadTarget.

    Digits of one case have no checksum; of two cases they must be the right one.
    """
    if not _ADDRESS.fullmatch(text):
        raise BadTarget("not an EVM address: write 0x and 40 hexadecimal digits")
    address = to_address(int(text, 16))
    digits = text[2:]
    if text != address and digits not in (digits.lower(), digits.upper()):
        raise BadTarget(f"{text} has a digit that is not right: its checksum does not fit")
    return address


def selector(signature: str) -> bytes:
    """The first four bytes of a call of this function."""
    return keccak(signature.encode())[:_SELECTOR_BYTES]


def encode_call(signature: str, *arguments: Argument) -> bytes:
    """The calldata of a call."""
    return selector(signature) + encode(*arguments)


def encode(*arguments: Argument) -> bytes:
    """The arguments as the ABI lays them out: a head of a word each, and the arrays behind it."""
    head = [b""] * len(arguments)
    tail = b""
    for place, argument in enumerate(arguments):
        if isinstance(argument, int):
            head[place] = _number(argument)
        elif isinstance(argument, str):
            head[place] = _number(int(argument, 16))
        elif isinstance(argument, bytes):
            assert len(argument) == WORD_BYTES, "bytes of another length are a Blob"
            head[place] = argument
        else:
            head[place] = _number(WORD_BYTES * len(arguments) + len(tail))
            tail += argument.padded() if isinstance(argument, Blob) else _array(argument)
    return b"".join(head) + tail


class Blob(tuple[int, ...]):
    """Bytes of any length, such as a signature."""

    __slots__ = ()

    def padded(self) -> bytes:
        """Its length in a word, and itself in whole words."""
        content = bytes(self)
        return _number(len(content)) + content + bytes(-len(content) % WORD_BYTES)


def decode(answer: bytes) -> list[int]:
    """The words of an answer, as numbers. Raises ValueError when it does not consist of words."""
    if len(answer) % WORD_BYTES:
        raise ValueError(f"{len(answer)} bytes are no whole words")
    return [
        int.from_bytes(answer[at : at + WORD_BYTES], "big")
        for at in range(0, len(answer), WORD_BYTES)
    ]


def _number(number: int) -> bytes:
    return number.to_bytes(WORD_BYTES, "big")


def _array(items: Sequence[int] | Sequence[bytes]) -> bytes:
    words = (item if isinstance(item, bytes) else _number(item) for item in items)
    return _number(len(items)) + b"".join(words)
