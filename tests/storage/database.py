"""A Postgres server of our own that is killed as a power cut would, and started again."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Final
from uuid import uuid4

import asyncpg

from node.devnet import postgres
from node.devnet.processes import free_ports

START_LIMIT_S: Final = 120
STOP_LIMIT_S: Final = 60
_POLL_S: Final = 0.05
_BACKENDS: Final = (
    "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
    " AND pid <> pg_backend_pid() AND datname = 'node' ORDER BY pid"
)


class DatabaseServer:
    """One data folder, and the server that runs on it now. `url`: the node's database."""

    def __init__(self, folder: Path, user: str | None) -> None:
        (self._port,) = free_ports(1)
        self._folder = folder
        self._user = user
        self._process: subprocess.Popen[bytes] | None = None
        self._server = f"postgresql://flattr@127.0.0.1:{self._port}"
        self.url = f"{self._server}/node"

    async def start(self) -> None:
        """Start it, again and again while the last one's processes hold its memory; it listens."""
        async with asyncio.timeout(START_LIMIT_S):
            while True:
                if self._process is None or self._process.poll() is not None:
                    self._process = self._started()
                try:
                    await (await asyncpg.connect(f"{self._server}/postgres")).close()
                except (OSError, asyncpg.PostgresError):
                    await asyncio.sleep(_POLL_S)
                else:
                    return

    async def make_database(self) -> None:
        """The node's database, empty."""
        connection = await asyncpg.connect(f"{self._server}/postgres")
        await connection.execute("CREATE DATABASE node")
        await connection.close()

    def kill(self) -> None:
        """SIGKILL to the postmaster; its children see it and end."""
        assert self._process is not None, "it was started"
        self._process.kill()
        self._process.wait(STOP_LIMIT_S)

    async def kill_backend(self, random: Random) -> bool:
        """SIGKILL to one that serves the node: Postgres ends all others, and recovers."""
        try:
            connection = await asyncpg.connect(self.url)
            pids = [row["pid"] for row in await connection.fetch(_BACKENDS)]
            await connection.close()
        except (OSError, asyncpg.PostgresError):
            return False
        if not pids:
            return False
        os.kill(random.choice(pids), signal.SIGKILL)
        return True

    def stop(self) -> None:
        """In order."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(STOP_LIMIT_S)

    def _started(self) -> subprocess.Popen[bytes]:
        command = [
            postgres._binary("postgres"), "-D", str(self._folder / "db"), "-p", str(self._port),
            "-h", "127.0.0.1", "-k", str(self._folder), "-c", "max_connections=200",
        ]  # fmt: skip
        with (self._folder / "log").open("a") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, user=self._user)


@asynccontextmanager
async def open_database_server() -> AsyncIterator[DatabaseServer]:
    """A server with an empty database for a node."""
    folder = Path("/tmp") / f"flattr-pg-{os.getpid()}-{uuid4().hex[:8]}"
    folder.mkdir(mode=0o700)
    user = postgres._server_user(folder)
    await asyncio.to_thread(_make_files, folder, user)
    server = DatabaseServer(folder, user)
    try:
        await server.start()
        await server.make_database()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _make_files(folder: Path, user: str | None) -> None:
    command = [postgres._binary("initdb"), "-D", str(folder / "db"), "-U", "flattr", "-A", "trust"]
    subprocess.run([*command, "--no-sync"], check=True, stdout=subprocess.DEVNULL, user=user)
