"""Blocks that wait for SQLite's writer share a commit, and nothing else."""

import asyncio
import sqlite3
from functools import partial

import pytest
from sqlalchemy.exc import OperationalError

from node.errors import DatabaseAway
from node.store import group_commit
from node.store.engine import open_store

MAKE = "CREATE TABLE word (w text PRIMARY KEY)"
ADD = "INSERT INTO word VALUES (:w)"


LONG = """INSERT INTO word WITH RECURSIVE n AS (SELECT 0 AS i UNION ALL SELECT i + 1 FROM n
          WHERE i < 300000) SELECT 'long ' || i FROM n"""


@pytest.fixture(params=["errands", "short"])
async def counted(request, tmp_path, monkeypatch):
    """(a store with a table of words, its file, how each transaction ended).

    Its transactions run their statements in SQLite's thread, or in this one.
    """
    path, ends = tmp_path / "flattr.sqlite", []
    end = group_commit.Writer._end

    async def counting(self, group, *, because=None):
        ends.append(("rollback" if because else "commit", group.blocks))
        await end(self, group, because=because)

    async with open_store(f"sqlite:///{path}") as store:
        async with store.write() as tx:
            await tx.run(MAKE)
        monkeypatch.setattr(group_commit.Writer, "_end", counting)
        if request.param == "short":
            monkeypatch.setattr(store, "write", partial(store.write, short=True))
        yield store, path, ends


def words(path):
    """What is on disk, read by a connection of its own."""
    with sqlite3.connect(path) as other:
        return {word for (word,) in other.execute("SELECT w FROM word")}


async def add(store, word, *, wait=None, error=None):
    async with store.write() as tx:
        await tx.run(ADD, w=word)
        if wait is not None:
            await wait.wait()
        if error is not None:
            raise error
    return word


async def until_waiting(store, number):
    while store._writer._group is None or store._writer._queued < number:
        await asyncio.sleep(0)


async def test_a_lone_block_is_committed_at_once(counted):
    store, path, ends = counted
    await add(store, "a")
    assert words(path) == {"a"}
    assert ends == [("commit", 1)]


async def test_blocks_that_wait_share_a_commit_and_each_is_told_when_it_is_on_disk(counted):
    store, path, ends = counted
    go = asyncio.Event()
    first = asyncio.create_task(add(store, "0", wait=go))
    others = [asyncio.create_task(add(store, str(number))) for number in range(1, 4)]
    await until_waiting(store, 3)
    assert words(path) == set()
    go.set()
    for task in asyncio.as_completed([first, *others]):
        assert await task in words(path)
    assert ends == [("commit", 4)]


async def test_a_block_that_fails_is_undone_alone(counted):
    store, path, ends = counted
    go = asyncio.Event()
    tasks = [
        asyncio.create_task(add(store, "a", wait=go)),
        asyncio.create_task(add(store, "b", error=ValueError("no"))),
        asyncio.create_task(add(store, "c")),
    ]
    await until_waiting(store, 2)
    go.set()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert [str(one) for one in found] == ["a", "no", "c"]
    assert words(path) == {"a", "c"}
    assert ends == [("commit", 3)]


async def test_a_first_block_that_fails_takes_nobody_with_it(counted):
    store, path, ends = counted
    go = asyncio.Event()
    tasks = [
        asyncio.create_task(add(store, "a", wait=go, error=ValueError("no"))),
        asyncio.create_task(add(store, "b")),
    ]
    await until_waiting(store, 1)
    go.set()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert [str(one) for one in found] == ["no", "b"]
    assert words(path) == {"b"}
    assert ends == [("rollback", 1), ("commit", 1)]


async def test_a_last_block_that_fails_does_not_keep_the_others_from_the_disk(counted):
    store, path, _ = counted
    go = asyncio.Event()
    tasks = [
        asyncio.create_task(add(store, "a", wait=go)),
        asyncio.create_task(add(store, "b", error=ValueError("no"))),
    ]
    await until_waiting(store, 1)
    go.set()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert [str(one) for one in found] == ["a", "no"]
    assert words(path) == {"a"}


async def test_a_commit_that_fails_is_told_to_all(counted, monkeypatch):
    store, path, _ = counted
    go = asyncio.Event()
    tasks = [asyncio.create_task(add(store, "a", wait=go)), asyncio.create_task(add(store, "b"))]
    await until_waiting(store, 1)

    async def fail(_):
        raise OperationalError("COMMIT", None, OSError("the disk is full"))

    monkeypatch.setattr(group_commit.Driver, "commit", fail)
    go.set()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(one) for one in found] == [DatabaseAway] * 2
    monkeypatch.undo()
    assert words(path) == set()
    assert await add(store, "c") in words(path)


async def test_what_the_database_has_undone_by_itself_is_told_to_all(counted):
    """As a full disk does; the block even goes on, and swallows what it is told."""
    store, path, _ = counted
    go = asyncio.Event()

    async def undone():
        async with store.write() as tx:
            await tx.run(ADD, w="b")
            await tx.driver.run("ROLLBACK", ())
            for word in ("c", "d"):
                with pytest.raises(DatabaseAway):
                    await tx.run(ADD, w=word)

    tasks = [asyncio.create_task(add(store, "a", wait=go)), asyncio.create_task(undone())]
    await until_waiting(store, 1)
    go.set()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(one) for one in found] == [DatabaseAway] * 2
    assert words(path) == set()
    assert await add(store, "e") in words(path)


async def test_a_lone_block_that_was_undone_is_told_so(counted):
    store, path, _ = counted
    with pytest.raises(DatabaseAway):
        async with store.write() as tx:
            await tx.run(ADD, w="a")
            await tx.driver.run("ROLLBACK", ())
    assert words(path) == set()
    assert await add(store, "b") in words(path)


async def test_a_commit_that_is_refused_leaves_the_writer_free(counted):
    store, path, _ = counted
    with pytest.raises(DatabaseAway):
        async with store.write() as tx:
            raw = tx.driver._connection
            unread = await raw.execute("INSERT INTO word VALUES ('a'), ('b') RETURNING w")
    del unread, raw, tx
    assert words(path) == set()
    assert await add(store, "c") in words(path)


async def test_who_is_cancelled_while_waiting_leaves_nobody_waiting(counted):
    store, path = counted[:2]
    for turn in range(20):
        go = asyncio.Event()
        first = asyncio.create_task(add(store, f"a{turn}", wait=go))
        second = asyncio.create_task(add(store, f"b{turn}"))
        await until_waiting(store, 1)
        go.set()
        for _ in range(turn):
            await asyncio.sleep(0)
        second.cancel()
        assert await asyncio.wait_for(first, 5) in words(path)
        await asyncio.gather(second, return_exceptions=True)
        assert (f"b{turn}" in words(path)) or second.cancelled()
    assert await add(store, "c") in words(path)


async def test_a_block_that_is_cancelled_is_undone_and_frees_the_writer(counted):
    store, path, _ = counted
    never = asyncio.Event()
    stuck = asyncio.create_task(add(store, "a", wait=never))
    after = asyncio.create_task(add(store, "b"))
    await until_waiting(store, 1)
    stuck.cancel()
    assert await asyncio.wait_for(after, 5) == "b"
    assert words(path) == {"b"}


async def test_no_more_than_so_many_share_a_commit(counted, monkeypatch):
    store, path, ends = counted
    monkeypatch.setattr(group_commit, "GROUP_MAX", 3)
    tasks = [asyncio.create_task(add(store, str(number))) for number in range(10)]
    await asyncio.gather(*tasks)
    assert words(path) == set(map(str, range(10)))
    assert max(blocks for _, blocks in ends) == 3
    assert sum(blocks for _, blocks in ends) == 10


async def test_a_short_block_comes_after_what_a_cancelled_one_has_left_in_the_thread(tmp_path):
    path, go, begun = tmp_path / "flattr.sqlite", asyncio.Event(), asyncio.Event()

    async def long(store):
        async with store.write() as tx:
            begun.set()
            await asyncio.gather(tx.run(LONG), tx.run(ADD, w="c"))

    async def short(store, word):
        async with store.write(short=True) as tx:
            await tx.run(ADD, w=word)

    async with open_store(f"sqlite:///{path}") as store:
        async with store.write() as tx:
            await tx.run(MAKE)
        first = asyncio.create_task(add(store, "a", wait=go))
        await until_waiting(store, 0)
        cut = asyncio.create_task(long(store))
        await until_waiting(store, 1)
        last = asyncio.create_task(short(store, "b"))
        await until_waiting(store, 2)
        go.set()
        await begun.wait()
        for _ in range(3):
            await asyncio.sleep(0)
        cut.cancel()  # its statements are with the thread by now
        await asyncio.gather(first, last)
        with pytest.raises(asyncio.CancelledError):
            await cut
    assert words(path) == {"a", "b"}


async def test_a_short_statement_that_is_wrong_is_told_as_any_other(tmp_path):
    async with open_store(f"sqlite:///{tmp_path / 'flattr.sqlite'}") as store:
        with pytest.raises(OperationalError, match="no such table"):
            async with store.write(short=True) as tx:
                await tx.run(ADD, w="a")
        with pytest.raises(OperationalError, match="no such table"):
            async with store.write(short=True) as tx:
                await tx.rows("SELECT w FROM word")
