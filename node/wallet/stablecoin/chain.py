"""The chain, as two RPCs that agree show it.

    flows, rail.py ─▶ vault.py ─▶ chain.py ─▶ endpoint.py ─▶ an RPC
                                      └─────▶ endpoint.py ─▶ another provider's

An RPC is somebody else's machine. It can be behind, on a fork of its own, or lie, and the node
would believe in a deposit that is none. So every read asks both at the same block, and when they
differ nobody is believed: RailUnavailable, and the reader comes back later. A network of one's own
(anvil, eth-tester) has one RPC, which must be said (`alone`).

Three heights:

    latest      the lower one of both; shown to people, never booked
    finalized   the lower one of both, by the chain's own rule: what is there stays there
    pending     only for the next nonce

Nothing that a send answers is a verdict: only a receipt is, in a block that is finalized.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from node.errors import ConfigError, RailUnavailable, Reverted
from node.wallet.stablecoin.answers import Block, Log, Receipt
from node.wallet.stablecoin.endpoint import Endpoint, Height, endpoint_in, open_endpoint

__all__ = [
    "FINALIZED",
    "LATEST",
    "Block",
    "Chain",
    "Log",
    "Receipt",
    "Reverted",
    "open_chain",
    "open_chain_in",
]

FINALIZED: Final = "finalized"
LATEST: Final = "latest"
LOGS_BLOCKS_MAX: Final = 1000
"""Blocks that one call for logs may span: what public RPCs allow."""
_T = TypeVar("_T")


@asynccontextmanager
async def open_chain(
    urls: Sequence[str], *, alone: bool = False, final: str = FINALIZED
) -> AsyncIterator[Chain]:
    """Connect to the RPCs, and disconnect at the end.

    `alone` allows a single one. `final` is the tag of the block that counts as finalized; `latest`
    is only for a network of one's own. Raises ConfigError.
    """
    hosts = {urlsplit(url).netloc.rpartition("@")[2].lower() for url in urls}
    if not urls or (len(hosts) < 2 and not alone):  # noqa: PLR2004 - two must agree
        raise ConfigError("the chain is read from two RPCs of two providers: name both URLs")
    async with AsyncExitStack() as stack:
        yield Chain([await stack.enter_async_context(open_endpoint(url)) for url in urls], final)


@asynccontextmanager
async def open_chain_in(provider: Any, *, final: str = FINALIZED) -> AsyncIterator[Chain]:
    """A chain that lives in this process (eth-tester), by its asynchronous provider for web3."""
    yield Chain([endpoint_in(provider)], final)


class Chain:
    """What the node asks of a chain. All coroutines raise RailUnavailable."""

    def __init__(self, endpoints: Sequence[Endpoint], final: str) -> None:
        self._endpoints = tuple(endpoints)
        self._final = final

    async def chain_id(self) -> int:
        """The number of this chain (EIP-155)."""
        return await self._same("the chain's number", lambda one: one.chain_id())

    async def latest(self) -> Block:
        """The newest block that all have."""
        return await self._lowest(LATEST)

    async def finalized(self) -> Block:
        """The newest block that is final for all."""
        return await self._lowest(self._final)

    async def block(self, number: int) -> Block | None:
        """A block by its number; None when none has it."""
        return await self._same(f"block {number}", lambda one: one.block(number))

    async def nonce(self, address: str, *, finalized: bool = False, mined: bool = False) -> int:
        """The next nonce of an address: with all that waits, or only what is mined, or final.

        What waits is the word of one RPC; what is mined, of all.
        """
        if finalized or mined:
            height = await self._height(finalized=finalized)
            return await self._same("a nonce", lambda one: one.nonce(address, height))
        return max(await self._each(lambda one: one.nonce(address, "pending")))

    async def receipt(self, tx_hash: str) -> Receipt | None:
        """What became of a transaction; None when nobody has it in a block."""
        return await self._same("a receipt", lambda one: one.receipt(tx_hash))

    async def broadcast(self, raw: bytes) -> str:
        """Hand a signed transaction to all. What they answer is for the log; raises nothing."""
        answers = await asyncio.gather(*(one.broadcast(raw) for one in self._endpoints))
        return "; ".join(answers)

    async def call(self, to: str, data: bytes, *, finalized: bool = False) -> bytes:
        """What a contract answers. Raises Reverted too."""
        height = await self._height(finalized=finalized)
        return await self._same("a contract", lambda one: one.call(to, data, height))

    async def estimate_gas(self, sender: str, to: str | None, data: bytes) -> int:
        """The gas that a transaction would need now; to None, it deploys. Raises Reverted too."""
        return max(await self._each(lambda one: one.estimate_gas(sender, to, data)))

    async def logs(self, address: str, first: int, last: int) -> list[Log]:
        """All logs of a contract in these blocks (both included), in order."""
        # An RPC that has not come that far would answer with nothing, as if nothing had happened.
        if await self.block(last) is None:
            raise RailUnavailable(f"there is no block {last} yet")
        found: list[Log] = []
        for start in range(first, last + 1, LOGS_BLOCKS_MAX):
            end = min(start + LOGS_BLOCKS_MAX - 1, last)
            found += await self._logs(address, start, end)
        return found

    async def code(self, address: str) -> bytes:
        """The code of an address; empty when it is none of a contract."""
        height = await self._height()
        return await self._same("a contract's code", lambda one: one.code(address, height))

    async def balance_wei(self, address: str) -> int:
        """What an address has for gas."""
        height = await self._height()
        return await self._same("a balance", lambda one: one.balance_wei(address, height))

    async def tip_wei(self) -> int:
        """The tip that is suggested; the highest one."""
        return max(await self._each(lambda one: one.tip_wei()))

    async def _logs(self, address: str, first: int, last: int) -> Sequence[Log]:
        what = f"the logs of blocks {first} to {last}"
        logs = await self._same(what, lambda one: one.logs(address, first, last))
        for log in logs:
            if log.address != address or not first <= log.block_number <= last:
                raise RailUnavailable("an RPC shows logs that nobody asked for")
        return logs

    async def _height(self, *, finalized: bool = False) -> Height:
        if finalized:
            return (await self.finalized()).number
        return LATEST if len(self._endpoints) == 1 else (await self.latest()).number

    async def _lowest(self, tag: str) -> Block:
        tops = await self._each(lambda one: one.block(tag))
        found = [top for top in tops if top is not None]
        if len(found) < len(tops):
            raise RailUnavailable(f"an RPC has no {tag} block")
        low = min(found, key=lambda top: top.number)
        if all(top == low for top in found):
            return low
        if await self.block(low.number) != low:
            raise RailUnavailable(f"the RPCs differ about block {low.number}")
        return low

    async def _same(self, what: str, ask: Callable[[Endpoint], Awaitable[_T]]) -> _T:
        """The answer that all give. Raises RailUnavailable when they differ."""
        answers = await self._each(ask)
        if any(answer != answers[0] for answer in answers):
            names = " and ".join(one.name for one in self._endpoints)
            raise RailUnavailable(f"the RPCs {names} differ about {what}: one is behind, or lies")
        return answers[0]

    async def _each(self, ask: Callable[[Endpoint], Awaitable[_T]]) -> list[_T]:
        """Everybody's answer. A refusal of the contract counts only when all say so."""
        asked = (ask(one) for one in self._endpoints)
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        refusals = [outcome for outcome in outcomes if isinstance(outcome, Reverted)]
        for outcome in outcomes:
            if isinstance(outcome, BaseException) and not isinstance(outcome, Reverted):
                raise outcome
        if refusals and len(refusals) < len(outcomes):
            raise RailUnavailable("the RPCs differ about whether the contract refuses a call")
        if refusals:
            raise refusals[0]
        return [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
