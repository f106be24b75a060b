"""Batches as the vault reads them, and the tree over them: what a node must compute for `seal`.

    word    address << 96 | amount                                   one recipient, or one charge
    leaf    keccak(keccak(abi(vault, chain id, month, index, keccak(abi(words)))))
    parent  keccak(smaller child ‖ larger child); a node without a partner goes up as it is

A leaf is hashed twice, so that no inner node can be shown as a leaf. It names the vault and the
chain, so that a root can't be replayed on another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from eth_abi import encode
from eth_utils import keccak, to_checksum_address

BITS_96 = 2**96 - 1


@dataclass(frozen=True, slots=True)
class Batch:
    """One call of `pay_batch`."""

    month: int
    index: int
    words: tuple[int, ...]
    proof: tuple[bytes, ...]

    @property
    def arguments(self) -> tuple[int, int, tuple[int, ...], tuple[bytes, ...]]:
        """In the order of the call."""
        return self.month, self.index, self.words, self.proof


@dataclass(frozen=True, slots=True)
class Tree:
    """A month's batches, and the root over them."""

    root: bytes
    batches: tuple[Batch, ...]


def word(address: str, amount: int) -> int:
    """An address and an amount as one word."""
    assert 0 <= amount <= BITS_96
    return int(address, 16) << 96 | amount


@cache
def unpack(item: int) -> tuple[str, int]:
    """The address, with its checksum, and the amount of a word."""
    return to_checksum_address(f"0x{item >> 96:040x}"), item & BITS_96


def leaf(vault: str, chain_id: int, month: int, index: int, words: Sequence[int]) -> bytes:
    """The leaf of one batch."""
    content = keccak(encode(["uint256[]"], [words]))
    types = ["address", "uint256", "uint256", "uint256", "bytes32"]
    return keccak(keccak(encode(types, [vault, chain_id, month, index, content])))


def plant(vault: str, chain_id: int, month: int, batches: Sequence[Sequence[int]]) -> Tree:
    """The tree over a month's batches, with a proof for each."""
    level = [leaf(vault, chain_id, month, index, words) for index, words in enumerate(batches)]
    proofs: list[list[bytes]] = [[] for _ in level]
    places = list(range(len(level)))
    while len(level) > 1:
        for number, place in enumerate(places):
            if place ^ 1 < len(level):
                proofs[number].append(level[place ^ 1])
        places = [place // 2 for place in places]
        level = [b"".join(sorted(level[at : at + 2])) for at in range(0, len(level), 2)]
        level = [keccak(pair) if len(pair) == 64 else pair for pair in level]
    made = (
        Batch(month, index, tuple(words), tuple(proofs[index]))
        for index, words in enumerate(batches)
    )
    return Tree(level[0], tuple(made))
