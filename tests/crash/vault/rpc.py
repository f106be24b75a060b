"""An RPC of the model chain, with an endpoint's manners and every fault that an RPC can have.

It answers in the node's values, as `endpoint.py` does. What is wrong with it is said call by call:

    down         no answer, or "too many requests"
    view         it has stopped at some block, perhaps on a branch that has lost
    lie          one kind of answer is not true
    deaf, mute   a broadcast is not passed on; or it is, and the answer gets lost
"""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Final

from node.errors import RailUnavailable, Reverted
from node.wallet.stablecoin.answers import Block, Log, Receipt
from node.wallet.stablecoin.artifact import vault_artifact
from tests.crash.vault.abi import event, number
from tests.crash.vault.chain import CALL_GAS, GWEI, Mined, ModelChain
from tests.crash.vault.key import hash_of
from tests.crash.vault.ledger_state import Refused

LIES: Final = (
    "receipt_missing", "receipt_invented", "receipt_flipped", "finalized_too_high",
    "finalized_hash", "nonce_high", "nonce_low", "balance", "logs_missing", "log_invented",
    "contract", "chain_id", "refuses",
)  # fmt: skip
WEI: Final = 10**21
DEEP: Final = 200
"""Blocks of a branch that has lost, at most."""


class ModelRpc:
    """One RPC. All coroutines raise RailUnavailable while it is down."""

    def __init__(self, name: str, chain: ModelChain, random: Random) -> None:
        self.name = name
        self.chain = chain
        self.random = random
        self.down = 0.0
        """How often a call has no answer."""
        self.view: list[Mined] | None = None
        self.view_final = 0
        self.lie: str | None = None
        self.deaf = 0.0
        self.mute = 0.0
        self.lied = 0

    def heal(self) -> None:
        self.down = self.deaf = self.mute = 0.0
        self.view = self.lie = None

    def stop_here(self, behind: int = 0) -> None:
        """See no further block, and some fewer than there are."""
        end = max(self.chain.final + 1, len(self.chain.blocks) - behind)
        self.view = self.chain.blocks[:end]
        self.view_final = self.chain.final

    async def chain_id(self) -> int:
        self._demand_up()
        return self.chain.keys.chain_id + (1 if self._lies("chain_id") else 0)

    async def block(self, height: int | str) -> Block | None:
        self._demand_up()
        mined = self._at(height)
        if mined is None:
            return None
        if height == "finalized" and self._lies("finalized_too_high"):
            return self._blocks[-1].block
        if self._lies("finalized_hash"):
            return replace(mined.block, hash=hash_of(mined.block.hash.encode()))
        return mined.block

    async def nonce(self, address: str, height: int | str) -> int:
        self._demand_up()
        mined = self._at(height)
        if mined is None:
            raise RailUnavailable(f"{self.name}: no block {height}")
        count = mined.state.nonces.get(address, 0)
        if height == "pending":
            while self.view is None and (address, count) in self.chain.pool:
                count += 1
        if self._lies("nonce_high"):
            return count + 1
        return max(0, count - 1) if self._lies("nonce_low") else count

    async def receipt(self, tx_hash: str) -> Receipt | None:
        self._demand_up()
        if self._lies("receipt_missing"):
            return None
        found = self._receipt(tx_hash)
        if found is None and self._lies("receipt_invented"):
            block = self._blocks[self.view_final if self.view else self.chain.final].block
            return Receipt(tx_hash, block.number, block.hash, True, CALL_GAS, GWEI, ())
        if found is not None and self._lies("receipt_flipped"):
            return replace(found, ok=not found.ok, logs=())
        return found

    async def call(self, to: str, content: bytes, height: int | str) -> bytes:
        self._demand_up()
        mined = self._at(height)
        if mined is None:
            raise RailUnavailable(f"{self.name}: no block {height}")
        try:
            answer = self.chain.contract.view(mined.state, int(to, 16), content, mined.block.time_s)
        except Refused as error:
            raise Reverted(str(error)) from None
        if answer and self._lies("contract"):
            return bytes(len(answer) - 1) + b"\x01"
        return answer

    async def estimate_gas(self, sender: str, to: str | None, content: bytes) -> int:
        self._demand_up()
        assert to is not None, "nothing is deployed here"
        why = self.chain.refusal(self._blocks[-1].state, sender, to, content)
        if self._lies("refuses"):
            why = "token down" if why is None else None
        if why is not None:
            raise Reverted(why)
        return CALL_GAS

    async def logs(self, address: str, first: int, last: int) -> tuple[Log, ...]:
        self._demand_up()
        found = [
            log
            for mined in self._blocks[first : last + 1]
            for receipt in mined.receipts
            for log in receipt.logs
            if log.address == address
        ]
        if found and self._lies("logs_missing"):
            found.pop(self.random.randrange(len(found)))
        if self._lies("log_invented") and last < len(self._blocks):
            found.append(self._invented(address, self._blocks[last].block))
        return tuple(found)

    async def code(self, address: str, height: int | str) -> bytes:
        del height
        self._demand_up()
        keys = self.chain.keys
        if int(address, 16) != keys.vault:
            return b""
        return vault_artifact().runtime + number(keys.token) + number(keys.delay_s)

    async def balance_wei(self, address: str, height: int | str) -> int:
        del address, height
        self._demand_up()
        return 0 if self._lies("balance") else WEI

    async def tip_wei(self) -> int:
        self._demand_up()
        return GWEI // 10

    async def broadcast(self, raw: bytes) -> str:
        """What it answers, if it hears; what it heard counts, whatever it says."""
        if self._happens(self.down) or self._happens(self.deaf):
            return f"{self.name}: no answer in 15 s"
        answer = self.chain.broadcast(raw)
        if self._happens(self.mute):
            return f"{self.name}: no answer in 15 s"
        return f"{self.name}: {answer}"

    @property
    def _blocks(self) -> list[Mined]:
        return self.chain.blocks if self.view is None else self.view

    def _at(self, height: int | str) -> Mined | None:
        blocks = self._blocks
        if height in ("latest", "pending"):
            return blocks[-1]
        if height == "finalized":
            return blocks[self.chain.final if self.view is None else self.view_final]
        assert isinstance(height, int), height
        return blocks[height] if height < len(blocks) else None

    def _receipt(self, tx_hash: str) -> Receipt | None:
        found = self.chain.receipt(tx_hash)
        if self.view is None:
            return found
        newest = self.view[-DEEP:]
        here = (one for mined in newest for one in mined.receipts if one.tx_hash == tx_hash)
        old = found is not None and found.block_number < len(self.view) - DEEP
        return next(here, found if old else None)

    def _invented(self, address: str, block: Block) -> Log:
        topics, rest = event("Deposited", 1, self.chain.keys.token, 10**9, 1)
        return Log(address, topics, rest, block.number, block.hash, hash_of(rest), 10_000)

    def _lies(self, kind: str) -> bool:
        if self.lie != kind:
            return False
        self.lied += 1
        return True

    def _demand_up(self) -> None:
        if self._happens(self.down):
            words = self.random.choice(("no answer in 15 s", "HTTP status 429"))
            raise RailUnavailable(f"{self.name}: {words}")

    def _happens(self, chance: float) -> bool:
        return chance > 0 and self.random.random() < chance
