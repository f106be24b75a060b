"""A month is closed when lnd's newest block says, too, that it is over: clocks jump."""

from __future__ import annotations

import pytest

from node.errors import RailUnavailable
from node.flows.calendar import APART_MAX_S
from node.money import sats
from node.store import closes
from tests.conftest import MONTH
from tests.world import open_world


@pytest.fixture
async def world(store, clock):
    async with open_world(store, clock) as opened:
        await opened.join("rita", "cora")
        await opened.thing("song", owner="cora")
        await opened.fund("rita", sats(5000), to_pot=True, at_s=None)
        await opened.flattr("rita", "song")
        yield opened


async def test_a_clock_that_jumps_forward_closes_nothing(world, clock):
    world.header_s = MONTH.starts_s + 7200
    clock.set(MONTH.ends_s + 60)
    with pytest.raises(RailUnavailable, match="newest block is of 2026-11-01 02:00 UTC"):
        await world.close_what_is_over()
    async with world.store.read() as tx:
        assert await closes.all_of(tx, world.rules.asset) == []


async def test_a_month_is_closed_when_a_block_of_its_last_two_hours_has_come(world, clock):
    clock.set(MONTH.ends_s + 60)
    world.header_s = MONTH.ends_s - APART_MAX_S - 1
    with pytest.raises(RailUnavailable):
        await world.close_what_is_over()
    world.header_s += 1
    assert await world.close_what_is_over() == [MONTH]
