"""A group of clicks is one row: nothing is lost on the way in, out, or over from rows of old."""

from alembic import command
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from node.store import inbox
from node.store.dialect import driver_url
from node.store.engine import Store, open_store
from node.store.inbox import Click, ClickRow, pack_group
from node.store.migrations.upgrade import config
from tests.conftest import MONTH

LARGEST = 2**31 - 1
KEY, OTHER = b"k" * 32, b"\x00" * 32
GROUPS: list[list[ClickRow]] = [
    [(1, 2, 1, None), (1, 2, 0, KEY), (LARGEST, LARGEST, 1, None)],
    [(2, 2, 1, OTHER)],
    [(1, 3, 1, None), (1, 2, 1, None)],
]
ALL = [click for group in GROUPS for click in group]


async def put(store: Store, groups: list[list[ClickRow]]) -> None:
    async with store.write() as tx:
        for group in groups:
            clicks, keys = pack_group(group)
            await tx.run(
                "INSERT INTO flattr_inbox (month, at_us, clicks, keys)"
                " VALUES (:month, 0, :clicks, :keys)",
                month=MONTH.ordinal, clicks=clicks, keys=keys,
            )  # fmt: skip


def plain(clicks: list[Click]) -> list[ClickRow]:
    return [(click.member, click.thing, click.op, click.request) for click in clicks]


async def test_clicks_come_out_as_they_went_in(store):
    await put(store, GROUPS)
    async with store.write() as tx:
        assert await inbox.length(tx) == len(ALL)
        assert await inbox.waits(tx, MONTH)
        assert not await inbox.waits(tx, MONTH.plus(1))
        assert await inbox.clicks_of(tx, 1, MONTH) == [(2, 1), (2, 0), (3, 1), (2, 1)]
        assert await inbox.clicks_of(tx, 1, MONTH.plus(1)) == []
        assert sorted(await inbox.keys(tx)) == [(1, KEY, MONTH), (2, OTHER, MONTH)]
        assert await inbox.take(tx, 99, MONTH.plus(1)) == []
        assert plain(await inbox.take(tx, 99, MONTH)) == ALL
        assert not await inbox.waits(tx)
        assert await inbox.length(tx) == 0


async def test_whole_groups_are_taken_the_oldest_first(store):
    await put(store, GROUPS)
    taken = []
    for limit in (1, 1, 1, 1):
        async with store.write() as tx:
            taken.append(plain(await inbox.take(tx, limit)))
    assert taken == [*GROUPS, []]
    await put(store, GROUPS)
    async with store.write() as tx:
        assert plain(await inbox.take(tx, 4)) == [*GROUPS[0], *GROUPS[1]]


async def test_clicks_that_wait_in_rows_of_old_are_carried_over_in_order(empty_database_url):
    engine = create_async_engine(driver_url(empty_database_url))
    async with engine.begin() as connection:
        await connection.run_sync(_as_before)
    await engine.dispose()
    async with open_store(empty_database_url) as store, store.write() as tx:
        taken = await inbox.take(tx, 10_000)
    months = [click.month for click in taken]
    assert months == [MONTH] * 2 * len(ALL) + [MONTH.plus(1)] * len(ALL)
    assert plain(taken) == ALL * 3


def _as_before(connection: Connection) -> None:
    """The tables of before groups, with clicks that wait: twice in a month, then in the next."""
    command.upgrade(config(connection), "0006")
    insert = text(
        "INSERT INTO flattr_inbox (month, member, thing, op, at_us, request)"
        " VALUES (:month, :member, :thing, :op, 0, :request)"
    )
    for month in (MONTH, MONTH, MONTH.plus(1)):
        for member, thing, op, request in ALL:
            values = {"member": member, "thing": thing, "op": op, "request": request}
            connection.execute(insert, {"month": month.ordinal, **values})
