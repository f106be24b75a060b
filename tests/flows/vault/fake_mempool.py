"""A chain in memory that does to transactions whatever a chain can do. The oracle is `happened`.

A signature is its order as JSON. Of several with one nonce the dearest is mined; what costs less
than the base fee waits. A reorg takes blocks back, and their transactions into the mempool again,
or loses them.
"""

import hashlib
import json
from collections import Counter
from dataclasses import asdict, dataclass, field

from node.errors import RailUnavailable, Reverted
from node.wallet.stablecoin.chain import Block, Receipt
from node.wallet.stablecoin.signer import Order, Signed

KEY = "0x" + "11" * 20
GAS = 100_000
GWEI = 10**9


class FakeSigner:
    """Signs by writing the order down."""

    address = KEY

    def sign(self, order: Order) -> Signed:
        told = {**asdict(order), "data": order.data.hex()}
        raw = json.dumps(told, sort_keys=True).encode()
        return Signed(raw, "0x" + hashlib.sha256(raw).hexdigest())


@dataclass
class Mined:
    block: Block
    raws: list[bytes]


@dataclass
class FakeMempool:
    """The whole network."""

    base_fee_wei: int = GWEI
    l1_fee_wei: int = 0
    """What an OP-stack chain takes on top of a transaction's gas."""
    depth: int = 3
    """A block is final when so many stand on it."""
    chain: list[Mined] = field(default_factory=list)
    waiting: list[bytes] = field(default_factory=list)
    heard: list[bytes] = field(default_factory=list)
    """All broadcasts, those that were lost too."""
    refused: set[bytes] = field(default_factory=set)
    """Calldata that reverts when it is mined."""
    refused_before: set[bytes] = field(default_factory=set)
    """Calldata that an estimate refuses."""
    lose: int = 0
    """So many broadcasts more are lost."""
    away: bool = False
    fork: int = 0

    def __post_init__(self) -> None:
        self._add_block([])

    def mine(self, blocks: int = 1) -> None:
        for _ in range(blocks):
            self._add_block(self._choose())

    def reorg(self, depth: int, *, drop: bool = False) -> None:
        """Take so many blocks back."""
        self.fork += 1
        taken = [raw for mined in self.chain[-depth:] for raw in mined.raws]
        del self.chain[-depth:]
        self.waiting = [] if drop else [*self.waiting, *taken]

    def steal(self, count: int = 1) -> None:
        """Another program with the same key uses the next nonces."""
        for _ in range(count):
            order = Order(1, self._count(), KEY, b"foreign", GAS, GWEI, 10**12)
            self.waiting.append(FakeSigner().sign(order).raw)

    def drop(self) -> None:
        """The mempool forgets everything."""
        self.waiting.clear()

    @property
    def happened(self) -> Counter[bytes]:
        """How often each call took effect in the chain that stands."""
        orders = [json.loads(raw) for mined in self.chain for raw in mined.raws]
        calls = [bytes.fromhex(order["data"]) for order in orders]
        return Counter(call for call in calls if call not in self.refused)

    async def nonce(self, address: str, *, finalized: bool = False, mined: bool = False) -> int:
        self._demand_here()
        assert address == KEY
        if finalized:
            return sum(len(mined.raws) for mined in self.chain[: -self.depth])
        if mined:
            return self._count()
        count, nonces = self._count(), {json.loads(raw)["nonce"] for raw in self.waiting}
        while count in nonces:
            count += 1
        return count

    async def broadcast(self, raw: bytes) -> str:
        self.heard.append(raw)
        if self.away or self.lose:
            self.lose = max(0, self.lose - 1)
            return "no answer"
        known = {raw for mined in self.chain for raw in mined.raws}
        if raw not in known and raw not in self.waiting:
            self.waiting.append(raw)
        return "accepted"

    async def receipt(self, tx_hash: str) -> Receipt | None:
        self._demand_here()
        for mined in self.chain:
            for raw in mined.raws:
                if "0x" + hashlib.sha256(raw).hexdigest() == tx_hash:
                    ok = bytes.fromhex(json.loads(raw)["data"]) not in self.refused
                    block = mined.block
                    place = (tx_hash, block.number, block.hash)
                    return Receipt(*place, ok, GAS, GWEI, (), self.l1_fee_wei)
        return None

    async def estimate_gas(self, sender: str, to: str, data: bytes) -> int:
        self._demand_here()
        assert (sender, to) == (KEY, VAULT)
        if data in self.refused_before:
            raise Reverted("not payable")
        return GAS

    async def latest(self) -> Block:
        self._demand_here()
        return self.chain[-1].block

    async def finalized(self) -> Block:
        self._demand_here()
        return self.chain[max(0, len(self.chain) - 1 - self.depth)].block

    async def block(self, number: int) -> Block | None:
        self._demand_here()
        return self.chain[number].block if number < len(self.chain) else None

    async def tip_wei(self) -> int:
        self._demand_here()
        return GWEI // 10

    def _demand_here(self) -> None:
        if self.away:
            raise RailUnavailable("the chain can't be reached")

    def _count(self) -> int:
        return sum(len(mined.raws) for mined in self.chain)

    def _choose(self) -> list[bytes]:
        chosen, nonce = [], self._count()
        while True:
            fits = [
                raw
                for raw in self.waiting
                if json.loads(raw)["nonce"] == nonce
                and json.loads(raw)["cap_wei"] >= self.base_fee_wei
            ]
            if not fits:
                return chosen
            best = max(fits, key=lambda raw: json.loads(raw)["cap_wei"])
            chosen.append(best)
            self.waiting = [raw for raw in self.waiting if json.loads(raw)["nonce"] != nonce]
            nonce += 1

    def _add_block(self, raws: list[bytes]) -> None:
        number = len(self.chain)
        name = hashlib.sha256(f"{number}/{self.fork}/{raws}".encode()).hexdigest()
        parent = self.chain[-1].block.hash if self.chain else "0x"
        block = Block(number, "0x" + name, parent, 1_800_000_000 + number, self.base_fee_wei)
        self.chain.append(Mined(block, raws))


VAULT = "0x" + "22" * 20
