"""The operator's log: what is in it stays in it, in both databases."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy.exc import DBAPIError

from node.store import checks, operator_log
from node.store.operator_log import Act

ACTS = [Act("Ada", "stopped", "sending", "to look"), Act("Ada", "resumed", "sending")]


async def filled(store):
    async with store.write() as tx:
        for number, act in enumerate(ACTS):
            await operator_log.append(tx, act, 1_000_000 + number)


async def test_what_was_done_is_read_newest_first(store):
    await filled(store)
    async with store.read() as tx:
        rows = await operator_log.newest(tx, operator_log.NEWEST, 10)
        assert [row.act for row in rows] == ACTS[::-1]
        assert [row.number for row in await operator_log.newest(tx, 2, 10)] == [1]
        assert await operator_log.head(tx) == (2, rows[0].hash)
        assert (rows[1].before, rows[0].before) == (operator_log.GENESIS, rows[1].hash)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE operator_log SET words = 'nothing' WHERE number = 1",
        "DELETE FROM operator_log WHERE number = 2",
        "DELETE FROM operator_log",
    ],
)
async def test_no_statement_changes_or_deletes_a_row(store, statement):
    await filled(store)
    with pytest.raises(DBAPIError, match="never changed or deleted"):
        async with store.write() as tx:
            await tx.run(statement)
    async with store.read() as tx:
        assert len(await operator_log.everything(tx)) == 2


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE operator_log SET words = 'nothing' WHERE number = 1", "row 1"),
        ("UPDATE operator_log SET at_us = at_us + 1 WHERE number = 2", "row 2"),
        ("UPDATE operator_log SET actor = act, act = actor WHERE number = 2", "row 2"),
        ("DELETE FROM operator_log WHERE number = 1", "row 1"),
        ("DELETE FROM operator_log WHERE number = 2", "ends at row 1"),
        ("DELETE FROM operator_log", "ends at row 0"),
    ],
)
async def test_whoever_goes_past_the_triggers_is_seen_by_the_audit(store, statement, words):
    await filled(store)
    rolled_back = RuntimeError("the corruption is for this test alone")
    with pytest.raises(RuntimeError, match="for this test alone"):
        async with store.write() as tx:
            await _without_triggers(tx)
            assert await tx.run(statement) > 0
            found = await checks.breaches(tx, deep=True)
            assert [one.invariant for one in found] == ["I16"]
            assert words in found[0].rows[0]
            raise rolled_back


async def test_two_who_act_at_once_get_a_place_each(store):
    async def act(number):
        async with store.write() as tx:
            await operator_log.append(tx, Act("Ada", "did", str(number)), number)

    await asyncio.gather(*(act(number) for number in range(20)))
    async with store.read() as tx:
        rows = await operator_log.everything(tx)
        assert [row.number for row in rows] == list(range(1, 21))
        assert operator_log.broken(rows, await operator_log.head(tx)) is None


async def _without_triggers(tx):
    if tx.dialect.name == "sqlite":
        for verb in ("updated", "deleted"):
            await tx.run(f"DROP TRIGGER operator_log_never_{verb}")
    else:
        await tx.run("DROP TRIGGER operator_log_never_changes ON operator_log")
