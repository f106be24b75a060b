"""What every test may ask for: a database of each kind, a clock, and clean books afterwards.

Postgres is real: one server per test process (`node/devnet/postgres.py`), and one new database per
test.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from node.clock import ManualClock
from node.devnet.postgres import open_database, open_postgres
from node.month import Month
from node.store import checks
from node.store.engine import Store, open_store

MONTH = Month(2026, 11)

# The vault's tests run in a venv of their own: `make contract`.
collect_ignore = ["contracts"]


@pytest.fixture
def clock() -> ManualClock:
    """The first of the month, an hour after midnight."""
    return ManualClock(MONTH.starts_s + 3600)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a running server, without a database name."""
    with open_postgres() as url:
        yield url


@pytest.fixture
async def postgres_url(postgres_server: str) -> AsyncIterator[str]:
    """A new, empty Postgres database."""
    async with open_database(postgres_server) as url:
        yield url


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
