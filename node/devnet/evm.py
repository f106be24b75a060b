"""A chain of our own for the stablecoin: anvil as a process, or eth-tester in this one.

    open_anvil    as real as a chain of one machine gets: a pool, reorgs, blocks when we say so
    open_tester   nothing to install and no process; every transaction is a block at once

Both give a `LocalChain`: its `chain` is what the node would see, and the rest is what only the
owner of a chain can do. Keys are made of names, so that "alice" is the same address everywhere;
whoever asks for one gets coin for gas with it.
"""

from __future__ import annotations

import gzip
import hashlib
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, Protocol

import aiohttp

from node.devnet.foundry import ensure_anvil
from node.devnet.processes import HOST, ChildProcess, free_ports, until
from node.errors import DaemonError
from node.wallet.stablecoin.chain import LATEST, Chain, open_chain, open_chain_in
from node.wallet.stablecoin.networks import TESTER, chain_network
from node.wallet.stablecoin.signer import Signer

ANVIL_CHAIN_ID: Final = chain_network("anvil").chain_id
TESTER_CHAIN_ID: Final = chain_network(TESTER).chain_id
GAS_MONEY_WEI: Final = 1000 * 10**18
EPOCH_SLOTS: Final = 2
"""anvil calls a block finalized when two epochs of so many blocks are above it: here 4 blocks."""
_HARDFORK: Final = "osaka"
_STATE_NAME: Final = "state.json"
_START_LIMIT_S: Final = 30.0
_CALL_LIMIT_S: Final = 60.0


def _quietly(_line: str) -> None:
    """Report progress to nobody."""


def local_secret(name: str) -> bytes:
    """The private key of a name, on local chains only: everybody can know it."""
    return hashlib.sha256(f"flattr-node local chain: {name}".encode()).digest()


def local_key(name: str) -> Signer:
    """What signs with it."""
    return Signer(local_secret(name))


class LocalChain(Protocol):
    """What the owner of a chain can do."""

    chain: Chain
    """As the node sees it, by its own connection."""
    chain_id: int
    provider: Any
    """For web3, when there is no URL."""

    @property
    def url(self) -> str | None:
        """Where its RPC listens; None: in this process, by `provider`."""
        ...

    async def funded(self, name: str) -> Signer:
        """The key of a name, with coin for gas."""
        ...

    async def mine(self, blocks: int = 1) -> None:
        """Make so many blocks, with what waits in the first of them."""
        ...

    async def jump_to(self, time_s: int) -> None:
        """Make a block of that time, which must be later than the last one's."""
        ...

    async def finalize(self) -> None:
        """Make all that is in a block final."""
        ...

    async def snapshot(self) -> str:
        """Remember everything as it is now."""
        ...

    async def restore(self, snapshot: str) -> None:
        """Have everything again as it was; a snapshot is good for one time."""
        ...


async def jump(local: LocalChain, seconds: int) -> None:
    """Let so much of the chain's time pass, and make a block then."""
    await local.jump_to((await local.chain.latest()).time_s + seconds)


class Anvil:
    """A running anvil. Made by `open_anvil`."""

    provider: Any = None
    chain_id = ANVIL_CHAIN_ID

    def __init__(
        self, process: ChildProcess, url: str, session: aiohttp.ClientSession, state: Path
    ) -> None:
        self.url = url
        self.process = process
        self.chain: Chain
        self._session = session
        self._funded: set[str] = set()
        self._state = state

    async def funded(self, name: str) -> Signer:
        """The key of a name, with coin for gas."""
        signer = local_key(name)
        if name not in self._funded:
            await self.call("anvil_setBalance", signer.address, hex(GAS_MONEY_WEI))
            self._funded.add(name)
        return signer

    async def mine(self, blocks: int = 1) -> None:
        """Make so many blocks, with what waits in the first of them."""
        await self.call("anvil_mine", hex(blocks))

    async def jump_to(self, time_s: int) -> None:
        """Make a block of that time; those after it go on from there."""
        await self.call("evm_setNextBlockTimestamp", time_s)
        await self.mine()

    async def finalize(self) -> None:
        """Mine until all is final."""
        await self.mine(2 * EPOCH_SLOTS)

    async def snapshot(self) -> str:
        """Remember everything as it is now."""
        return str(await self.call("evm_snapshot"))

    async def restore(self, snapshot: str) -> None:
        """Have everything again as it was."""
        if await self.call("evm_revert", snapshot) is not True:
            raise DaemonError(f"anvil has no snapshot {snapshot}")
        self._funded.clear()

    async def set_instant(self, instant: bool) -> None:
        """Whether each transaction gets its block at once, or waits for `mine`."""
        await self.call("evm_setAutomine", instant)

    async def reorg(self, depth: int) -> None:
        """Replace the last blocks by as many empty ones: what was in them is nowhere any more."""
        await self.call("anvil_reorg", depth, [])

    async def drop(self, tx_hash: str) -> None:
        """Forget a transaction that waits."""
        await self.call("anvil_dropTransaction", tx_hash)

    async def drop_all(self) -> None:
        """Forget all that waits."""
        await self.call("anvil_dropAllTransactions")

    async def save(self) -> None:
        """Write the chain to disk, all or nothing: what `restart` begins with. Not the pool."""
        packed = await self.call("anvil_dumpState", True)
        written = self._state.with_suffix(".new")
        written.write_bytes(gzip.decompress(bytes.fromhex(packed.removeprefix("0x"))))
        written.replace(self._state)

    async def restart(self) -> None:
        """SIGKILL, and start again with what was saved: later blocks, and the pool, are gone."""
        await self.process.kill()
        await self.process.start()
        await until(self.answers, "anvil answers", _START_LIMIT_S)

    async def call(self, method: str, *params: object) -> Any:
        """One JSON-RPC call. Raise DaemonError on an error, aiohttp's errors when unreachable."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        async with self._session.post(self.url, json=body) as response:
            answer = await response.json()
        if "error" in answer:
            raise DaemonError(f"anvil refuses {method}: {answer['error'].get('message')}")
        return answer["result"]

    async def answers(self) -> bool:
        """Whether it listens. Raise DaemonError when the process has ended."""
        self.process.demand_running()
        try:
            await self.call("eth_chainId")
        except aiohttp.ClientError:
            return False
        return True


@asynccontextmanager
async def open_anvil(
    folder: Path,
    *,
    instant: bool = True,
    starts_s: int | None = None,
    keeps: bool = False,
    progress: Callable[[str], None] = _quietly,
) -> AsyncIterator[Anvil]:
    """A new chain in a process of ours, with the rules of today's main networks.

    `folder` gets its log. `instant`: each transaction gets its block at once; else they wait for
    `mine`. `starts_s`: the time of its first block, by default now. `keeps`: what was saved is
    there after `restart`. Raises DaemonError.
    """
    binary = await ensure_anvil(progress)
    os.makedirs(folder, exist_ok=True)  # noqa: PTH103 - one call, before anything runs
    (port,) = free_ports(1)
    command = [
        str(binary),
        f"--host={HOST}",
        f"--port={port}",
        f"--chain-id={ANVIL_CHAIN_ID}",
        f"--hardfork={_HARDFORK}",
        "--enable-tx-gas-limit",
        f"--slots-in-an-epoch={EPOCH_SLOTS}",
        "--accounts=1",
        *([] if instant else ["--no-mining"]),
        *([] if starts_s is None else [f"--timestamp={starts_s}"]),
        *([f"--state={folder / _STATE_NAME}", "--preserve-historical-states"] if keeps else []),
    ]
    process = ChildProcess("anvil", command, folder / "anvil.log")
    timeout = aiohttp.ClientTimeout(total=_CALL_LIMIT_S)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        anvil = Anvil(process, f"http://{HOST}:{port}", session, folder / _STATE_NAME)
        try:
            await process.start()
            await until(anvil.answers, "anvil answers", _START_LIMIT_S)
            async with open_chain([anvil.url], alone=True) as chain:
                anvil.chain = chain
                yield anvil
        finally:
            await process.stop()


class Tester:
    """An eth-tester. Made by `open_tester`. Its newest block counts as final."""

    url: str | None = None
    chain_id = TESTER_CHAIN_ID

    def __init__(self, provider: Any, chain: Chain) -> None:
        self.provider = provider
        self.chain = chain
        self._tester = provider.ethereum_tester

    async def funded(self, name: str) -> Signer:
        """The key of a name, with coin for gas."""
        signer = local_key(name)
        if await self.chain.balance_wei(signer.address) == 0:
            purse = self._tester.get_accounts()[0]
            gift = {"from": purse, "to": signer.address, "value": GAS_MONEY_WEI, "gas": 21_000}
            self._tester.send_transaction(gift)
        return signer

    async def mine(self, blocks: int = 1) -> None:
        """Make so many blocks."""
        self._tester.mine_blocks(blocks)

    async def jump_to(self, time_s: int) -> None:
        """Make a block of that time."""
        from node.devnet.evm_tester import mine_at  # noqa: PLC0415 - it takes two seconds

        mine_at(self.provider, time_s)

    async def finalize(self) -> None:
        """All is final already."""

    async def snapshot(self) -> str:
        """Remember everything as it is now."""
        return str(self._tester.take_snapshot())

    async def restore(self, snapshot: str) -> None:
        """Have everything again as it was."""
        self._tester.revert_to_snapshot(int(snapshot))


@asynccontextmanager
async def open_tester(*, starts_s: int | None = None) -> AsyncIterator[Tester]:
    """A new chain in this process.

    `starts_s`: the time of its first block, and then each is a second later than the last; by
    default it is the machine's clock.
    """
    from node.devnet.evm_tester import tester_provider  # noqa: PLC0415 - it takes two seconds

    provider = tester_provider(starts_s)
    async with open_chain_in(provider, final=LATEST) as chain:
        yield Tester(provider, chain)
