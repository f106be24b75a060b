"""The tree over a month's batches, whose root is sealed in the vault.

    leaf      keccak(keccak(abi(vault, chain id, month, index, keccak(abi(words)))))
    parent    keccak(smaller child ‖ larger child); a node without a partner goes up as it is

A word is `address << 96 | units` of one recipient. A leaf names the vault and the chain, so that a
root can't be used on another one, and is hashed twice, so that no inner node can be shown as a
leaf. Pairs are in order of size, so that a proof is only a list of partners, without sides.
"""

from __future__ import annotations

from collections.abc import Sequence

from eth_hash.auto import keccak

_WORD_BYTES = 32
_OFFSET = _WORD_BYTES.to_bytes(_WORD_BYTES, "big")
"""How the ABI begins one array: where it is."""


def leaf(vault: str, chain_id: int, month: int, index: int, words: Sequence[int]) -> bytes:
    """The leaf of one batch. `vault` is an address, `0x` and 40 digits; `month` is the vault's."""
    content = _OFFSET + b"".join(map(_word, (len(words), *words)))
    head = map(_word, (int(vault, 16), chain_id, month, index))
    return keccak(keccak(b"".join(head) + keccak(content)))


class Tree:
    """The tree over the leaves of the batches 0, 1, 2, … There is at least one."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        if not leaves:
            raise ValueError("a month without batches has no root")
        self._levels = [list(leaves)]
        while len(self._levels[-1]) > 1:
            below = self._levels[-1]
            pairs = (below[at : at + 2] for at in range(0, len(below), 2))
            self._levels.append([_parent(pair) for pair in pairs])

    @property
    def root(self) -> bytes:
        """What is sealed: 32 bytes."""
        return self._levels[-1][0]

    def proof(self, index: int) -> tuple[bytes, ...]:
        """The partners from the leaf to the root, which `pay_batch` wants with the words."""
        if not 0 <= index < len(self._levels[0]):
            raise IndexError(f"there is no batch {index}")
        partners = []
        for level in self._levels[:-1]:
            partner = index ^ 1
            if partner < len(level):
                partners.append(level[partner])
            index //= 2
        return tuple(partners)


def _parent(children: Sequence[bytes]) -> bytes:
    return keccak(b"".join(sorted(children))) if len(children) > 1 else children[0]


def _word(number: int) -> bytes:
    return number.to_bytes(_WORD_BYTES, "big")
