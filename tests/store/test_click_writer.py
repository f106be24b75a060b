"""A writer of clicks outlives the connection that it has."""

import asyncpg
import pytest

from node.store import flattrs
from node.store.click_writer import POSTGRES_WRITERS, open_click_writers
from node.store.engine import open_store

GONE = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
)
END = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE query LIKE '%write_clicks%' AND pid <> pg_backend_pid()"
)


async def test_a_writer_whose_server_went_away_connects_again(postgres_url, clock):
    async with open_store(postgres_url) as store, open_click_writers(store, clock) as writers:
        assert len(writers) == POSTGRES_WRITERS
        for writer in writers:
            await writer.commit([(1, 1, 1, None)])
        other = await asyncpg.connect(postgres_url)
        assert len(await other.fetch(END)) == POSTGRES_WRITERS
        await other.close()
        for writer in writers:
            with pytest.raises(GONE):
                await writer.commit([(1, 2, 1, None)])
            await writer.commit([(1, 3, 1, None)])
        async with store.read() as tx:
            assert await flattrs.inbox_length(tx) == 2 * POSTGRES_WRITERS
