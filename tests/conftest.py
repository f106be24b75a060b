"""What every test may ask for: a database of each kind, a clock, and clean books afterwards.

Postgres is real: one server per test process (`node/devnet/postgres.py`), and one new database per
test. New databases are copies of a migrated one (`migrated.py`).
"""

from __future__ import annotations

import asyncio
import os
import weakref
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiosqlite
import pytest
from hypothesis import HealthCheck, settings

from node.clock import ManualClock
from node.devnet.postgres import open_database, open_postgres
from node.month import Month
from node.store import checks, engine
from node.store.engine import Store, open_store
from tests.migrated import upgrade_by_copy

MONTH = Month(2026, 11)

# No example is judged by how long it takes: the machine may be busy with other tests.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

# The vault's tests run in a venv of their own: `make contract`.
collect_ignore = ["contracts"]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Name its group in each test's id, by which pytest-xdist keeps a group in one process.

    It does so itself, but 3.8 writes the name where pytest 9.2 does not read it any more.
    """
    if not getattr(config.option, "loadgroup", False):
        return
    for item in items:
        group = item.get_closest_marker("xdist_group")
        if group is not None and "@" not in item.nodeid.rpartition("]")[2]:
            item._id = type(item._id).parse(f"{item.nodeid}@{group.args[0]}")


@pytest.fixture
def clock() -> ManualClock:
    """The first of the month, an hour after midnight."""
    return ManualClock(MONTH.starts_s + 3600)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a running server, without a database name."""
    with open_postgres() as url:
        yield url


@pytest.fixture(scope="session", autouse=True)
def _sqlite_by_copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """SQLite databases are migrated once for each test process."""
    with pytest.MonkeyPatch.context() as patch:
        by_copy = upgrade_by_copy(tmp_path_factory.mktemp("migrated"))
        patch.setattr(engine, "upgrade", by_copy)
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_connection_is_left_open() -> Iterator[None]:
    """Who opens a connection to SQLite closes it: else the collector complains in another test."""
    made: weakref.WeakKeyDictionary[aiosqlite.Connection, str] = weakref.WeakKeyDictionary()
    initialize = aiosqlite.Connection.__init__

    def remembered(self: aiosqlite.Connection, *args: Any, **named: Any) -> None:
        made[self] = os.environ.get("PYTEST_CURRENT_TEST", "")
        initialize(self, *args, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aiosqlite.Connection, "__init__", remembered)
        yield
    left = [test for one, test in made.items() if one._connection is not None and one._running]
    assert not left, f"these tests left a connection open: {left}"


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> Iterator[str]:
    """The URL of a migrated database that nobody is connected to."""

    async def migrate(url: str) -> None:
        async with open_store(url):
            pass

    opening = open_database(postgres_server)
    with asyncio.Runner() as runner:
        url = runner.run(opening.__aenter__())
        runner.run(migrate(url))
        yield url
        runner.run(opening.__aexit__(None, None, None))


@pytest.fixture
async def postgres_url(postgres_server: str, postgres_template: str) -> AsyncIterator[str]:
    """A new Postgres database: a copy of the migrated one."""
    async with open_database(postgres_server, template=postgres_template) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'flattr.sqlite'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture(params=["sqlite", "postgres"])
async def empty_database_url(
    request: pytest.FixtureRequest, postgres_server: str, tmp_path: Path
) -> AsyncIterator[str]:
    """A database of each kind with nothing in it, not even tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'flattr.sqlite'}"
        return
    async with open_database(postgres_server) as url:
        yield url


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """A migrated database of each kind; its books must be clean when the test ends."""
    async with open_store(database_url) as opened:
        yield opened
        async with opened.read() as tx:
            assert await checks.breaches(tx, deep=True) == []
