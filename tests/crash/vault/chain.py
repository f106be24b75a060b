"""A chain in memory: a pool with a real node's rules, blocks, forks above the final one.

    broadcast ─▶ pool (10 % to replace, no nonce that is used) ─▶ block (dearest first) ─▶ final
                                     ▲                              │
                                     └── or lost, or another one ───┘ reorg, 1 to 64 deep

Every block keeps the whole state after it, so an RPC that is behind, or on the branch that lost,
answers from there. The chain's own logs are the oracle of every story.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Final

from node.wallet.stablecoin.answers import Block, Log, Receipt
from node.wallet.stablecoin.words import to_address
from tests.crash.vault.contract import Contract
from tests.crash.vault.key import Sent, hash_of, read
from tests.crash.vault.ledger_state import Keys, Refused, State

BUMP_PERCENT: Final = 10
GWEI: Final = 10**9
BASE_FEE_MIN: Final = GWEI // 10
TARGET_GAS: Final = 300_000
CALL_GAS: Final = 90_000
REORG_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class Mined:
    """A block, what is in it, and the state after it."""

    block: Block
    sent: tuple[Sent, ...]
    receipts: tuple[Receipt, ...]
    state: State


@dataclass(slots=True)
class Jam:
    """Blocks are full of others: what `sender` offers first for a nonce pays too little."""

    sender: str
    left_out: set[str] = field(default_factory=set)
    """Its signatures that stay in the pool; a dearer one under the same nonce gets in."""


class ModelChain:
    """The network's truth. `final` blocks stay; nothing here lies, see `rpc.py`."""

    def __init__(self, keys: Keys, random: Random, starts_s: int, final_lag: int) -> None:
        self.keys = keys
        self.contract = Contract(keys)
        self.final_lag = final_lag
        self.stalled = False
        """Whether no block becomes final."""
        self.random = random
        self.pool: dict[tuple[str, int], Sent] = {}
        self.heard: dict[tuple[str, int], list[Sent]] = {}
        """All that was ever broadcast, for forks that choose otherwise."""
        self.final = 0
        self._fork = 0
        self._base_wei = GWEI
        self._found: dict[str, Receipt] = {}
        first = Block(0, hash_of(b"first"), hash_of(b""), starts_s, GWEI)
        self.blocks = [Mined(first, (), (), State())]
        self.spike = 1
        """What the base fee is multiplied with, for a while."""
        self.jam: Jam | None = None

    @property
    def state(self) -> State:
        """What the newest block left."""
        return self.blocks[-1].state

    @property
    def time_s(self) -> int:
        return self.blocks[-1].block.time_s

    def broadcast(self, raw: bytes) -> str:
        """What a node answers to a signed transaction."""
        sent = read(raw)
        heard = self.heard.setdefault(sent.place, [])
        if self.jam is not None and not heard and sent.sender == self.jam.sender:
            self.jam.left_out.add(sent.tx_hash)
        if sent not in heard:
            heard.append(sent)
        if sent.order.nonce < self.state.nonces.get(sent.sender, 0):
            return "nonce too low"
        there = self.pool.get(sent.place)
        if there is not None and there.tx_hash == sent.tx_hash:
            return "already known"
        if there is not None and not _pays_more(sent, there):
            return "replacement transaction underpriced"
        self.pool[sent.place] = sent
        return "taken"

    def mine(self, blocks: int = 1, *, seconds: int = 2, perverse: bool = False) -> None:
        """Make blocks. `perverse`: of one nonce whichever was ever broadcast may be in them."""
        for _ in range(blocks):
            self._mine_one(self.time_s + seconds, perverse=perverse)

    def jump_to(self, time_s: int) -> None:
        """Make a block of that time."""
        self._mine_one(time_s, perverse=False)

    def reorg(self, depth: int, *, lost: bool) -> int:
        """Take blocks back, none that is final, and grow as many; how many were taken."""
        depth = min(depth, len(self.blocks) - 1 - self.final, REORG_MAX)
        if depth < 1:
            return 0
        self._fork += 1
        taken = self.blocks[-depth:]
        del self.blocks[-depth:]
        returned = [sent for mined in taken for sent in mined.sent]
        for sent in returned:
            if not (lost and self.random.random() < 0.7):
                self.pool.setdefault(sent.place, sent)
        for sent in returned:
            self._found.pop(sent.tx_hash, None)
        for mined in taken:
            empty = self.random.random() < 0.7
            self._mine_one(mined.block.time_s, perverse=True, empty=empty)
        return depth

    def drop(self) -> int:
        """The pool forgets everything; how much that was."""
        forgotten = len(self.pool)
        self.pool.clear()
        return forgotten

    def receipt(self, tx_hash: str) -> Receipt | None:
        """Of a transaction that is in a block of the chain that stands."""
        return self._found.get(tx_hash)

    def logs(self) -> Iterator[Log]:
        """Everything that contracts have logged on the chain that stands."""
        for mined in self.blocks:
            for receipt in mined.receipts:
                yield from receipt.logs

    def refusal(self, state: State, sender: str, to: str, content: bytes) -> str | None:
        """Why the contract would refuse a call in the next block; None if it would not."""
        try:
            self.contract.run(state, int(sender, 16), int(to, 16), content, self.time_s + 1)
        except Refused as error:
            return str(error)
        return None

    def _mine_one(self, time_s: int, *, perverse: bool, empty: bool = False) -> None:
        parent = self.blocks[-1].block
        self._base_wei = _base_fee(self._base_wei, self.blocks[-1])
        base = self._base_wei * self.spike
        number = len(self.blocks)
        chosen = [] if empty else self._choose(base, perverse=perverse)
        content = b"".join([f"{number} {self._fork} {time_s}".encode(), *(s.raw for s in chosen)])
        block = Block(number, hash_of(content), parent.hash, max(time_s, parent.time_s), base)
        state, receipts, index = self.state, [], 0
        for sent in chosen:
            state, receipt = self._execute(state, sent, block, index)
            index += len(receipt.logs)
            receipts.append(receipt)
            self._found[sent.tx_hash] = receipt
        self.blocks.append(Mined(block, tuple(chosen), tuple(receipts), state))
        self.pool = {
            place: sent
            for place, sent in self.pool.items()
            if sent.order.nonce >= state.nonces.get(sent.sender, 0)
        }
        if not self.stalled:
            self.final = max(self.final, number - self.final_lag)

    def _choose(self, base: int, *, perverse: bool) -> list[Sent]:
        chosen = []
        nonces = dict(self.state.nonces)
        waiting = sorted(self.pool.values(), key=lambda one: (one.sender, one.order.nonce))
        for sent in waiting:
            if sent.order.nonce != nonces.get(sent.sender, 0):
                continue
            one = self.random.choice(self.heard[sent.place]) if perverse else sent
            if one.order.cap_wei < base or (self.jam and one.tx_hash in self.jam.left_out):
                continue
            chosen.append(one)
            nonces[one.sender] = one.order.nonce + 1
        return chosen

    def _execute(self, state: State, sent: Sent, block: Block, first: int) -> tuple[State, Receipt]:
        order = sent.order
        to = order.to or to_address(0)
        try:
            after, events = self.contract.run(
                state, int(sent.sender, 16), int(to, 16), order.data, block.time_s
            )
            ok = True
        except Refused:
            after, events, ok = state.copy(), [], False
        after.nonces[sent.sender] = order.nonce + 1
        logs = tuple(
            Log(to_address(where), topics, rest, block.number, block.hash, sent.tx_hash, first + at)
            for at, (where, topics, rest) in enumerate(events)
        )
        price = min(order.cap_wei, block.base_fee_wei + order.tip_wei)
        receipt = Receipt(sent.tx_hash, block.number, block.hash, ok, CALL_GAS, price, logs)
        return after, receipt


def _pays_more(sent: Sent, there: Sent) -> bool:
    least = 100 + BUMP_PERCENT
    return (
        sent.order.cap_wei * 100 >= there.order.cap_wei * least
        and sent.order.tip_wei * 100 >= there.order.tip_wei * least
    )


def _base_fee(base: int, parent: Mined) -> int:
    """An eighth more after a full block, an eighth less after an empty one (EIP-1559)."""
    full = len(parent.sent) * CALL_GAS > TARGET_GAS
    return max(BASE_FEE_MIN, base + base // 8 if full else base - base // 8)
