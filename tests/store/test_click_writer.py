"""A writer of clicks keeps their order and their month, and outlives the connection it has."""

import asyncpg
import pytest

from node.money import Asset
from node.month import Month
from node.store import closes, inbox
from node.store.click_writer import POSTGRES_WRITERS, open_click_writers
from node.store.closes import Close, Figures, Stage
from node.store.engine import Store, open_store
from tests.conftest import MONTH

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
            assert await inbox.length(tx) == 2 * POSTGRES_WRITERS


@pytest.mark.parametrize("clicks", [1, 2, 3, 64, 2049])
async def test_a_group_is_written_whole_and_in_order(store, clock, clicks):
    rows = [(1 + n % 3, 1 + n, n % 2, b"%032d" % n if n % 5 else None) for n in range(clicks)]
    async with open_click_writers(store, clock) as writers:
        assert await writers[0].commit(rows) == MONTH
    assert await written(store) == [(MONTH, *row) for row in rows]


@pytest.mark.parametrize("clicks", [1, 1025])
async def test_a_frozen_month_gets_nothing(store, clock, clicks):
    async with store.write() as tx:
        for month in (MONTH, MONTH.plus(1)):
            await closes.freeze(tx, frozen(month))
    async with open_click_writers(store, clock) as writers:
        assert await writers[0].commit([(1, 7, 1, None)] * clicks) == MONTH.plus(2)
    found = await written(store)
    assert (len(found), {click[0] for click in found}) == (clicks, {MONTH.plus(2)})


async def written(store: Store) -> list[tuple[Month, int, int, int, bytes | None]]:
    async with store.write() as tx:
        taken = await inbox.take(tx, 10**6)
    return [(c.month, c.member, c.thing, c.op, c.request) for c in taken]


def frozen(month: Month) -> Close:
    return Close(month, Asset.SAT, Stage.FROZEN, 1, 1000, 0, Figures(), None)
