"""A click that was answered is on disk; a repetition changes nothing, whatever came between."""

import asyncio

import pytest

from node.errors import Busy, Conflict, KeyReused
from node.flows import flattr
from node.flows.flattr import open_clicks
from node.flows.fold import fold, standing
from node.store import click_writer, flattrs
from tests.conftest import MONTH
from tests.world import World, open_world


@pytest.fixture
async def world(store, clock):
    async with open_world(store, clock) as opened:
        await opened.join("ann", "bob")
        await opened.thing("song", "bob")
        yield opened


async def stands(world: World) -> bool:
    async with world.store.read() as tx:
        month = await standing(tx, world.members["ann"], MONTH)
    return world.things["song"].id in month.things


async def test_the_same_key_twice_is_one_click(world):
    assert await world.flattr("ann", "song", "k") == await world.flattr("ann", "song", "k")
    assert world.clicks.written == 1
    assert await stands(world)


async def test_a_key_is_not_used_for_another_click(world):
    await world.flattr("ann", "song", "k")
    with pytest.raises(KeyReused):
        await world.undo("ann", "song", "k")
    assert await stands(world)


@pytest.mark.parametrize("folded", [False, True])
async def test_a_retried_key_does_not_bring_back_what_was_undone(world, folded):
    await world.flattr("ann", "song", "k")
    await world.undo("ann", "song", "undo")
    if folded:
        await fold(world.store, world.clock)
    await world.flattr("ann", "song", "k")
    assert not await stands(world)


@pytest.mark.parametrize("folded", [False, True])
async def test_nor_does_it_after_a_restart(world, folded):
    await world.flattr("ann", "song", "k")
    await world.undo("ann", "song", "undo")
    if folded:
        await fold(world.store, world.clock)
    async with open_clicks(world.store, world.clock) as again:
        await again.flattr(world.members["ann"], world.things["song"], None, "k")
    assert not await stands(world)
    await fold(world.store, world.clock)
    assert not await stands(world)


async def test_a_thousand_new_keys_at_once_ask_the_database_together(world, monkeypatch):
    """One question each would wait for a connection until none is had any more."""
    asked = []
    keys_used = flattrs.keys_used

    async def counted(tx, keys):
        asked.append(len(keys))
        return await keys_used(tx, keys)

    monkeypatch.setattr(flattrs, "keys_used", counted)
    await asyncio.gather(*(world.flattr("ann", "song", f"k{number}") for number in range(1000)))
    assert sum(asked) == 1000
    assert len(asked) < 20
    assert world.clicks.written == 1000


@pytest.mark.parametrize("folded", ["not", "in time", "late"])
async def test_a_key_that_is_retried_after_the_month_is_told_the_click_s_month(world, folded):
    assert (await world.flattr("ann", "song", "k")).month == MONTH
    if folded == "in time":
        await fold(world.store, world.clock)
    world.clock.set(MONTH.ends_s + 1)
    if folded == "late":
        await fold(world.store, world.clock)
    assert (await world.flattr("ann", "song", "k")).month == MONTH
    async with open_clicks(world.store, world.clock) as again:
        told = await again.flattr(world.members["ann"], world.things["song"], None, "k")
        assert told.month == MONTH


async def test_nobody_flattrs_an_own_thing(world):
    with pytest.raises(Conflict):
        await world.flattr("bob", "song")
    assert world.clicks.written == 0


async def test_a_full_queue_says_so_and_takes_nothing(world, monkeypatch):
    monkeypatch.setattr(flattr, "WAITING_MAX", 0)
    with pytest.raises(Busy):
        await world.flattr("ann", "song")
    assert not await stands(world)


async def test_what_could_not_be_written_is_not_acknowledged(world, monkeypatch):
    async def fail(*_: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as broken:
        for writer in (click_writer.SqliteWriter, click_writer._PostgresWriter):
            broken.setattr(writer, "commit", fail)
        with pytest.raises(Busy):
            await world.flattr("ann", "song", "k")
    assert world.clicks.written == 0
    assert not await stands(world)
    await world.flattr("ann", "song", "k")
    assert await stands(world)


@pytest.mark.parametrize("folded", [False, True])
async def test_a_key_whose_answer_was_lost_is_told_the_month_that_it_was_written_in(
    world, monkeypatch, folded
):
    """It was written, and refused; asked again after the month it was told the next one."""
    commits = {one: one.commit for one in (click_writer.SqliteWriter, click_writer._PostgresWriter)}

    def losing(commit):
        async def lose(self, clicks):
            await commit(self, clicks)
            raise OSError("the answer was lost")

        return lose

    with monkeypatch.context() as broken:
        for writer, commit in commits.items():
            broken.setattr(writer, "commit", losing(commit))
        with pytest.raises(Busy):
            await world.flattr("ann", "song", "k")
    if folded:
        await fold(world.store, world.clock)
    world.clock.set(MONTH.ends_s + 1)
    assert (await world.flattr("ann", "song", "k")).month == MONTH
    with pytest.raises(KeyReused):
        await world.undo("ann", "song", "k")
    assert world.clicks.written == 0
    assert await stands(world)
