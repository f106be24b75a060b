"""A real Postgres server for the tests and the bench, in a folder of its own.

It listens on 127.0.0.1 with a port of its own and keeps every promise that the node asks for (fsync
and synchronous commits are on). `initdb` refuses root, so as root it runs as the user `postgres`.
The folder lies in /tmp, because a socket's path must be short, and goes with the server.
"""

from __future__ import annotations

import asyncio
import getpass
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg

from node.devnet.processes import free_ports
from node.errors import DaemonError

_CONNECT_TRIES = 100
_CONNECT_EVERY_S = 0.1
_STOP_LIMIT_S = 30


@contextmanager
def open_postgres() -> Iterator[str]:
    """The URL of a new server, without a database; it ends with the block. Raises DaemonError."""
    folder = Path("/tmp") / f"flattr-pg-{os.getpid()}-{uuid4().hex[:8]}"  # noqa: S108  0700, new
    folder.mkdir(mode=0o700)
    try:
        with _started(folder) as url:
            yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def open_database(server: str, *, template: str | None = None) -> AsyncIterator[str]:
    """The URL of a new database, empty or a copy of the one at `template`; it goes with the block.

    Waits until the server listens. Raises DaemonError.
    """
    name = f"t{uuid4().hex}"
    copied = f" TEMPLATE {template.rpartition('/')[2]}" if template else ""
    connection = await _connect(f"{server}/postgres")
    try:
        await connection.execute(f"CREATE DATABASE {name}{copied}")
        yield f"{server}/{name}"
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await connection.close()


@contextmanager
def _started(folder: Path) -> Iterator[str]:
    user = _server_user(folder)
    port = free_ports(1)[0]
    initdb = [
        _binary("initdb"),
        "-D",
        str(folder / "db"),
        "-U",
        "flattr",
        "-A",
        "trust",
        "--no-sync",
    ]
    subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, user=user)  # noqa: S603  ours
    command = [_binary("postgres"), "-D", str(folder / "db"), "-p", str(port), "-h", "127.0.0.1",
               "-k", str(folder), "-c", "max_connections=200"]  # fmt: skip
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(  # noqa: S603  ours
            command, stdout=log, stderr=log, user=user
        )
        try:
            yield f"postgresql://flattr@127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(_STOP_LIMIT_S)


def _binary(name: str) -> str:
    found = shutil.which(name)
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    if found is None and not places:
        raise DaemonError(
            f"{name} is missing: install Postgres (Debian: apt-get install postgresql)"
        )
    return found or str(places[0])


def _server_user(folder: Path) -> str | None:
    """Whom it runs as: us, or `postgres` if we are root, who must not."""
    if getpass.getuser() != "root":
        return None
    shutil.chown(folder, "postgres")
    return "postgres"


async def _connect(url: str) -> asyncpg.Connection:
    for _ in range(_CONNECT_TRIES):
        try:
            return await asyncpg.connect(url)
        except (OSError, asyncpg.CannotConnectNowError):
            await asyncio.sleep(_CONNECT_EVERY_S)
    raise DaemonError(f"Postgres does not answer at {url}")
