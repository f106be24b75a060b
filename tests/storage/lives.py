"""The node as its operator runs it, `flattr-node serve`, in a process that a test kills.

It is forked from a server that has imported everything, so that a life begins in a tenth of the
time that a start from the shell takes; what runs is the command itself, with its schedule. It
listens on the same port in every life, and what it prints goes to `folder/log`.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import socket
from multiprocessing import get_context
from pathlib import Path
from time import monotonic
from typing import Final

import aiohttp

from node.cli.serve import serve
from node.devnet.processes import free_ports
from tests.storage.waiting import until

START_LIMIT_S: Final = 60
END_LIMIT_S: Final = 60
REQUEST_LIMIT_S: Final = 30
READY_POLL_S: Final = 0.1
SETTINGS: Final = """network = "simnet"
database = "{database}"
[lnd]
lndconnect = "{lndconnect}"
[operator]
enabled = false
[web]
port = {port}
requests_per_minute = 1000000000
connections_per_address = {connections}
header_deadline_s = {deadline_s}
"""
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_PTRACER: Final = 0x59616D61
_ANYBODY: Final = ctypes.c_ulong(-1)
_SIGKILL: Final = 9

_SERVER = get_context("forkserver")


class Serving:
    """One life of a node."""

    def __init__(self, folder: Path, port: int) -> None:
        _SERVER.set_forkserver_preload([__name__])
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / "log"
        self._process = _SERVER.Process(target=_main, args=(folder,), daemon=True)
        self._process.start()

    @property
    def pid(self) -> int:
        """The process that serves."""
        assert self._process.pid is not None, "it was started"
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it has not ended by itself."""
        return self._process.is_alive()

    async def until_serving(self, limit_s: float = START_LIMIT_S) -> None:
        """Wait until it listens; fails with the end of the log when it never does."""
        await until(
            lambda: _listens(self.port) or not self.alive,
            limit_s,
            lambda: f"the node listens: {self.said()}",
        )
        assert self.alive, f"the node has ended: {self.said()}"

    async def until_ready(self, limit_s: float, *, ready: bool) -> str:
        """Wait until /readyz says that it is so, or that it is not; what is wrong, in words."""
        ends = monotonic() + limit_s
        while bool(words := await self._unready()) is ready:
            assert self.alive, f"the node has ended: {self.said()}"
            assert monotonic() < ends, f"not within {limit_s:g} s: /readyz says {ready=}; {words}"
            await asyncio.sleep(READY_POLL_S)
        return words

    async def _unready(self) -> str:
        """What /readyz says is wrong; empty while it says that all is well."""
        limit = aiohttp.ClientTimeout(REQUEST_LIMIT_S)
        async with (
            aiohttp.ClientSession(timeout=limit) as http,
            http.get(f"{self.url}/readyz") as answer,
        ):
            told = await answer.json()
            parts = [part["words"] for part in told["parts"].values() if not part["good"]]
            return "" if answer.status == 200 else "; ".join(parts)

    def kill(self) -> None:
        """SIGKILL; it is gone when this returns."""
        self._process.kill()
        self._process.join(END_LIMIT_S)
        assert not self.alive, f"not within {END_LIMIT_S} s: the node ends by SIGKILL"

    async def end(self) -> int | None:
        """SIGTERM, as an operator ends it; the exit code. Its lnd may be on this event loop."""
        self._process.terminate()
        await until(
            lambda: not self.alive, END_LIMIT_S, lambda: f"the node ends by SIGTERM: {self.said()}"
        )
        return self._process.exitcode

    def said(self) -> str:
        """The end of what it has printed."""
        return self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""

    def events(self) -> list[dict[str, object]]:
        """What it has logged, line by line."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return [json.loads(line) for line in lines if line.startswith("{")]


def settle(
    folder: Path,
    database: str,
    lndconnect: str,
    *,
    connections: int = 100_000,
    deadline_s: int = 10,
) -> int:
    """Write a node's settings; the port that it will listen on."""
    folder.mkdir(parents=True, exist_ok=True)
    (port,) = free_ports(1)
    text = SETTINGS.format(
        database=database, lndconnect=lndconnect, port=port, connections=connections,
        deadline_s=deadline_s,
    )  # fmt: skip
    (folder / "flattr-node.toml").write_text(text)
    return port


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _main(folder: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_PTRACER, _ANYBODY, 0, 0, 0)  # strace is a sister of this process
    log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    serve(folder=folder)
