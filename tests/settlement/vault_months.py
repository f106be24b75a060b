"""A month that the vault pays, made as the node makes it, for tests of its published file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from node.month import Month
from node.settlement.tree import Tree, leaf
from node.settlement.vault_file import VaultFileHead, build, file_hash, verify

VAULT = "0x9fE46736679d2D9a65F0992F2272dE9f3c7fa6e0"
TOKEN = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
NODE = "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512"
CHAIN = 84_532
SALT = b"\x07" * 32
NOVEMBER = Month(2026, 11)
DOLLAR = 10**6


@dataclass(frozen=True)
class Sealed:
    """A month's file, and what the vault says of it."""

    content: bytes
    root: bytes

    def wrong(self) -> list[str]:
        return verify(self.content, file_hash(self.content), self.root)


def address(number: int) -> str:
    return f"0x{number:040x}"


def seal(
    readers: np.ndarray, things: np.ndarray, *, charged: dict[int, int] | None = None,
    batch: int = 2, waits: int | None = None,
) -> Sealed:  # fmt: skip
    """The file of such a month: each thing's creator gets what of the net there is, in order."""
    charged = charged or {}
    gross = sum(charged.get(m, share * n) for m, _, n, share, _, _ in readers.tolist())
    left = gross - gross // 10
    words = []
    for _, creator, _, net in things.tolist():
        if 0 < net <= left:
            words.append((address(creator), net))
            left -= net
    if left or not words:
        words.append((NODE, left))
    waits = left if waits is None else waits
    batches = [words[at : at + batch] for at in range(0, len(words), batch)]
    tree = Tree([
        leaf(VAULT, CHAIN, 3, index, [int(to, 16) << 96 | units for to, units in some])
        for index, some in enumerate(batches)
    ])  # fmt: skip
    head = VaultFileHead(
        "base-sepolia", CHAIN, VAULT, TOKEN, 3, NOVEMBER, gross, gross // 10, NODE, waits
    )
    return Sealed(build(head, batches, tree, readers, things, SALT, charged), tree.root)


READERS = np.array([
    [4, 5 * DOLLAR, 3, 1_666_660, 166_666, 20],
    [7, 9 * DOLLAR, 2, 4_500_000, 450_000, 0],
    [9, 1 * DOLLAR, 0, 0, 0, 1 * DOLLAR],
])  # fmt: skip
THINGS = np.array([
    [1, 4, 1, 1_499_994],
    [2, 4, 2, 5_549_994],
    [5, 6, 1, 1_499_994],
    [8, 9, 1, 4_050_000],
])  # fmt: skip


def lie_of(said: dict[str, Any], root: bytes) -> list[str]:
    """What is found when the operator seals the hash of the lie as well."""
    content = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
    return verify(content, file_hash(content), root)
