"""btcd on simnet: a chain of our own, with a block whenever we ask for one.

Segwit is active from block 300 on simnet, so 450 are mined first. They pay to the script OP_TRUE
behind a witness hash, which anyone may spend without a key: one transaction without a signature
then gives the first block's 50 coins to the Lightning nodes. On a chain that lives for minutes on
127.0.0.1, that is all the wallet that is needed.
"""

from __future__ import annotations

import hashlib
import secrets
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import bech32

from node.devnet.processes import HOST, ChildProcess, free_ports, until
from node.errors import DaemonError

FIRST_BLOCKS = 450
_HRP = "sb"
_OP_TRUE = b"\x51"
_REWARD_SAT = 50 * 100_000_000
_FEE_SAT = 10_000
_START_LIMIT_S = 30.0
_CALL_LIMIT_S = 60.0


class Btcd:
    """A running btcd and the connection to its RPC."""

    def __init__(self, folder: Path, binary: Path) -> None:
        self._folder = folder
        self.user = "devnet"
        self.password = secrets.token_hex(16)
        self.cert_path = folder / "rpc.cert"
        self.port, peer_port = free_ports(2)
        command = (
            binary,
            "--simnet",
            f"--configfile={folder / 'btcd.conf'}",
            f"--datadir={folder / 'data'}",
            f"--logdir={folder / 'logs'}",
            f"--listen={HOST}:{peer_port}",
            f"--rpclisten={HOST}:{self.port}",
            f"--rpcuser={self.user}",
            f"--rpcpass={self.password}",
            f"--rpccert={self.cert_path}",
            f"--rpckey={folder / 'rpc.key'}",
            f"--miningaddr={bech32.encode(_HRP, 0, hashlib.sha256(_OP_TRUE).digest())}",
            "--txindex",
            "--nodnsseed",
        )
        self.process = ChildProcess("btcd", command, folder / "btcd.log")
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Start it, and wait until it answers. Raise DaemonError when it does not."""
        self._folder.mkdir(parents=True)
        await self.process.start()
        await until(self._answers, "btcd answers", _START_LIMIT_S)

    async def close(self) -> None:
        """End the process. Nothing of it is needed any more."""
        if self._session is not None:
            await self._session.close()
        await self.process.kill()

    async def mine(self, blocks: int) -> None:
        """Mine so many blocks."""
        await self.call("generate", blocks)

    async def fund(self, addresses: Sequence[str]) -> None:
        """Share the first block's 50 coins among the addresses, and confirm that."""
        first_block = await self.call("getblock", await self.call("getblockhash", 1), 1)
        share_sat = (_REWARD_SAT - _FEE_SAT) // len(addresses)
        transaction = _spend_first_coins(first_block["tx"][0], addresses, share_sat)
        await self.call("sendrawtransaction", transaction.hex())
        await self.mine(1)

    async def call(self, method: str, *params: object) -> Any:
        """One JSON-RPC call. Raise DaemonError on an error, aiohttp's errors when unreachable."""
        body = {"jsonrpc": "1.0", "id": 1, "method": method, "params": params}
        async with self._open_session().post(f"https://{HOST}:{self.port}", json=body) as response:
            answer = await response.json(content_type=None)
        if answer["error"] is not None:
            raise DaemonError(f"btcd refuses {method}: {answer['error']}")
        return answer["result"]

    async def _answers(self) -> bool:
        self.process.demand_running()
        if not self.cert_path.exists():
            return False
        try:
            await self.call("getblockcount")
        except (aiohttp.ClientError, ssl.SSLError):
            return False
        return True

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            context = ssl.create_default_context(cafile=str(self.cert_path))
            self._session = aiohttp.ClientSession(
                headers={"Authorization": aiohttp.encode_basic_auth(self.user, self.password)},
                connector=aiohttp.TCPConnector(ssl=context),
                timeout=aiohttp.ClientTimeout(total=_CALL_LIMIT_S),
            )
        return self._session


@asynccontextmanager
async def open_chain(folder: Path, binary: Path) -> AsyncIterator[Btcd]:
    """A btcd with `FIRST_BLOCKS` blocks, in a folder that is made."""
    btcd = Btcd(folder, binary)
    try:
        await btcd.start()
        await btcd.mine(FIRST_BLOCKS)
        yield btcd
    finally:
        await btcd.close()


def _spend_first_coins(txid: str, addresses: Sequence[str], share_sat: int) -> bytes:
    """The transaction (BIP 144) that spends an OP_TRUE output: its witness is the script alone."""
    outputs = b"".join(_output(address, share_sat) for address in addresses)
    return (
        (2).to_bytes(4, "little")
        + b"\x00\x01"
        + b"\x01"
        + bytes.fromhex(txid)[::-1]
        + bytes(4)
        + b"\x00"
        + b"\xff" * 4
        + bytes([len(addresses)])
        + outputs
        + bytes([1, len(_OP_TRUE)])
        + _OP_TRUE
        + bytes(4)
    )


def _output(address: str, share_sat: int) -> bytes:
    version, program = bech32.decode(_HRP, address)
    if version != 0:
        raise DaemonError(f"{address} is no segwit address of version 0 on simnet")
    script = bytes([0, len(program), *program])
    return share_sat.to_bytes(8, "little") + bytes([len(script)]) + script
