"""A database is closed when nobody reads it any more, and not before."""

from __future__ import annotations

import asyncio

import pytest

from node.errors import DatabaseAway
from node.store.engine import Store, open_store


async def test_what_is_being_read_is_read_to_its_end_before_the_database_closes(
    database_url: str,
) -> None:
    told, go, reads = [], asyncio.Event(), asyncio.Event()

    async def read(store: Store) -> None:
        async with store.read() as tx:
            reads.set()
            await go.wait()
            told.append(await tx.value("SELECT 1"))

    async with open_store(database_url) as store:
        reading = asyncio.create_task(read(store))
        await reads.wait()
        asyncio.get_running_loop().call_later(0.05, go.set)
    assert told == [1]
    await reading


async def test_nobody_reads_a_database_that_is_closed(database_url: str) -> None:
    async with open_store(database_url) as store:
        pass
    with pytest.raises(DatabaseAway, match="ending"):
        async with store.read():
            pass
