"""What every test may ask for: a database of each kind, a clock, and clean books afterwards.

Postgres is real: one server per test process, started here with its own folder and socket, and one
new database per test. `initdb` refuses root, so as root it runs as the user `postgres`.
"""

from __future__ import annotations

import asyncio
import getpass
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from node.clock import ManualClock
from node.devnet.processes import free_ports
from node.month import Month
from node.store import checks
from node.store.engine import Store, open_store

MONTH = Month(2026, 11)


@pytest.fixture
def clock() -> ManualClock:
    """The first of the month, an hour after midnight."""
    return ManualClock(MONTH.starts_s + 3600)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a running server, without a database name."""
    folder = Path("/tmp") / f"flattr-pg-{os.getpid()}-{uuid4().hex[:8]}"  # short: it holds a socket
    folder.mkdir(mode=0o700)
    user = _server_user(folder)
    port = free_ports(1)[0]
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "user": user}
    initdb = [_binary("initdb"), "-D", folder / "db", "-U", "flattr", "-A", "trust", "--no-sync"]
    subprocess.run(initdb, **quiet)
    command = [_binary("postgres"), "-D", folder / "db", "-p", str(port), "-h", "127.0.0.1",
               "-k", folder, "-c", "max_connections=200"]  # fmt: skip
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, user=user)
        try:
            yield f"postgresql://flattr@127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(30)
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def postgres_url(postgres_server: str) -> AsyncIterator[str]:
    """A new, empty Postgres database."""
    name = f"t{uuid4().hex}"
    connection = await _connect(f"{postgres_server}/postgres")
    await connection.execute(f"CREATE DATABASE {name}")
    yield f"{postgres_server}/{name}"
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new, empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'flattr.sqlite'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """A migrated database of each kind; its books must be clean when the test ends."""
    async with open_store(database_url) as opened:
        yield opened
        async with opened.read() as tx:
            assert await checks.breaches(tx, deep=True) == []


def _binary(name: str) -> str:
    found = shutil.which(name)
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    if found is None and not places:
        pytest.fail(f"{name} is missing: install Postgres (Debian: apt-get install postgresql)")
    return found or str(places[0])


def _server_user(folder: Path) -> str | None:
    if getpass.getuser() != "root":
        return None
    shutil.chown(folder, "postgres")
    return "postgres"


async def _connect(url: str) -> asyncpg.Connection:
    for _ in range(100):
        try:
            return await asyncpg.connect(url)
        except (OSError, asyncpg.CannotConnectNowError):  # noqa: PERF203  until it listens
            await asyncio.sleep(0.1)
    raise TimeoutError(url)
