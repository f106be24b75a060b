"""One RPC of a chain: asked by web3, answering in the node's values and errors.

    RailUnavailable   no answer in time, an error of the RPC, or an answer that can't be read
    Reverted          the contract would refuse the call

What an error says never contains the URL, which often has a key in it: an RPC is named by its host.
web3 follows no CCIP redirect here (EIP-3668): a contract must not choose whom the node asks.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import aiohttp

from node.errors import ConfigError, RailUnavailable, Reverted
from node.wallet.stablecoin.answers import (
    UNREADABLE,
    Block,
    Log,
    Receipt,
    read_block,
    read_log,
    read_number,
    read_receipt,
)
from node.wallet.stablecoin.words import decode

CALL_S: Final = 15
"""Deadline of one call."""
Height = int | str
"""A block's number, or `latest`, `finalized`, `pending`."""

_REVERT: Final = bytes.fromhex("08c379a0")
"""The selector of Error(string)."""
_REVERTED: Final = "execution reverted"
_WORDS_MAX: Final = 300
_T = TypeVar("_T")


class Endpoint:
    """One RPC. Made by `open_endpoint` or `endpoint_in`."""

    def __init__(self, name: str, web3: Any) -> None:
        self.name = name
        self._web3 = web3
        self._eth = web3.eth

    async def chain_id(self) -> int:
        """The chain that it serves."""
        return await self._ask(self._eth.chain_id, int)

    async def block(self, height: Height) -> Block | None:
        """A block, or None when it has none there."""
        return await self._find(self._eth.get_block(height), read_block)

    async def nonce(self, address: str, height: Height) -> int:
        """How many transactions of the address there are."""
        return await self._ask(self._eth.get_transaction_count(address, height), int)

    async def receipt(self, tx_hash: str) -> Receipt | None:
        """The receipt, or None when it knows of none."""
        call = self._eth.get_transaction_receipt(tx_hash)
        return await self._find(call, read_receipt)

    async def call(self, to: str, data: bytes, height: Height) -> bytes:
        """What a contract answers."""
        call = self._eth.call({"to": to, "data": data}, height, ccip_read_enabled=False)
        return await self._ask(call, bytes)

    async def estimate_gas(self, sender: str, to: str | None, data: bytes) -> int:
        """What a transaction would need now; to nobody, it deploys."""
        order = {"from": sender, "data": data} | ({} if to is None else {"to": to})
        return await self._ask(self._eth.estimate_gas(order), int)

    async def logs(self, address: str, first: int, last: int) -> tuple[Log, ...]:
        """A contract's logs in these blocks, in order."""
        where = {"address": address, "fromBlock": first, "toBlock": last}
        return await self._ask(self._eth.get_logs(where), _read_logs)

    async def code(self, address: str, height: Height) -> bytes:
        """The code of an address."""
        return await self._ask(self._eth.get_code(address, height), bytes)

    async def balance_wei(self, address: str, height: Height) -> int:
        """What an address has for gas."""
        return await self._ask(self._eth.get_balance(address, height), int)

    async def tip_wei(self) -> int:
        """The tip that it suggests."""
        # Not web3's own, which guesses from past blocks when it gets no answer, with a warning.
        call = self._web3.manager.coro_request("eth_maxPriorityFeePerGas", [])
        return await self._ask(call, read_number)

    async def broadcast(self, raw: bytes) -> str:
        """What it answers to a signed transaction, in words."""
        try:
            async with asyncio.timeout(CALL_S):
                await self._eth.send_raw_transaction(raw)
        except Exception as error:  # noqa: BLE001 - no answer is a verdict; all of them are words
            return f"{self.name}: {_in_words(error)}"
        return f"{self.name}: taken"

    async def _find(self, call: Awaitable[Any], read: Callable[[Any], _T]) -> _T | None:
        """The same as `_ask`, but None for what the RPC does not have."""
        try:
            return await self._ask(call, read)
        except _Absent:
            return None

    async def _ask(self, call: Awaitable[Any], read: Callable[[Any], _T]) -> _T:
        """Await one call, and read its answer."""
        from eth_abi.exceptions import DecodingError  # noqa: PLC0415 - like web3
        from web3 import exceptions  # noqa: PLC0415 - it takes two seconds

        broken = (exceptions.Web3Exception, DecodingError, aiohttp.ClientError, OSError)

        try:
            async with asyncio.timeout(CALL_S):
                return read(await call)
        except exceptions.ContractLogicError as error:
            raise Reverted(_reason(error)) from None
        except (exceptions.BlockNotFound, exceptions.TransactionNotFound):
            raise _Absent(f"{self.name} does not have it") from None
        except (*broken, *UNREADABLE) as error:
            # Not `from error`: its text can hold the URL.
            raise RailUnavailable(f"{self.name}: {_in_words(error)}") from None


class _Absent(RailUnavailable):
    """It has no such block, or no receipt of such a transaction."""


@asynccontextmanager
async def open_endpoint(url: str) -> AsyncIterator[Endpoint]:
    """Connect to an RPC by HTTP, and disconnect at the end. Raises ConfigError."""
    from web3 import AsyncHTTPProvider, AsyncWeb3  # noqa: PLC0415 - it takes two seconds

    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError("an RPC is named by its URL: write https://…")
    timeout = aiohttp.ClientTimeout(total=CALL_S)
    provider = AsyncHTTPProvider(
        url,
        request_kwargs={"timeout": timeout, "allow_redirects": False},
        exception_retry_configuration=None,
    )
    # A session of our own: web3's own way of closing one logs the URL.
    async with aiohttp.ClientSession(timeout=timeout) as session:
        await provider.cache_async_session(session)
        yield Endpoint(parts.netloc.rpartition("@")[2], AsyncWeb3(provider))


def endpoint_in(provider: Any) -> Endpoint:
    """An endpoint of a provider of web3 that lives in this process."""
    from web3 import AsyncWeb3  # noqa: PLC0415 - it takes two seconds

    return Endpoint("in process", AsyncWeb3(provider))


def _read_logs(answer: Sequence[Mapping[str, Any]]) -> tuple[Log, ...]:
    logs = (read_log(log) for log in answer if not log.get("removed"))
    return tuple(sorted(logs, key=lambda log: (log.block_number, log.index)))


def _reason(error: Any) -> str:
    """What the contract said: out of the answer's bytes where they are there, else the RPC's."""
    data = error.data
    if isinstance(data, Mapping):
        data = data.get("data")
    if isinstance(data, str) and data.startswith("0x"):
        try:
            content = bytes.fromhex(data[2:])
            if content[:4] == _REVERT:
                length = decode(content[36:68])[0]
                return content[68 : 68 + length].decode()
        except (ValueError, IndexError):
            return ""
    text = str(error.message or "").removeprefix(_REVERTED).removeprefix(":").strip()
    return "" if text.startswith("0x") else text


def _in_words(error: BaseException) -> str:
    """What to say of an error: its text, but for those of HTTP, whose text holds the URL."""
    if isinstance(error, aiohttp.ClientResponseError):
        return f"HTTP status {error.status}"
    if isinstance(error, TimeoutError):
        return f"no answer in {CALL_S} s"
    if isinstance(error, (aiohttp.ClientError, OSError)):
        return f"not reachable ({type(error).__name__})"
    answer = getattr(error, "rpc_response", None)
    problem = answer.get("error") if isinstance(answer, Mapping) else None
    text = problem.get("message") if isinstance(problem, Mapping) else problem
    return (str(text or "") or str(error) or type(error).__name__)[:_WORDS_MAX]
