"""What the dry run says of each creator is what the close then does."""

from __future__ import annotations

import pytest

from node.flows.earnings.estimate import Estimates
from node.flows.forecast import forecast
from node.flows.waits import DUES_WORDS, SMALL_WORDS
from node.ledger import accounts
from node.money import Asset, sats
from tests.conftest import MONTH
from tests.world import open_world


async def _waits(world, month):
    """By creator, as the dry run says it; the estimate of each says the same."""
    seen = {one.name: one.waits for one in (await forecast(world.closing, month)).creators}
    for name, waits in seen.items():
        estimate = await Estimates().of(world.closing, world.members[name])
        assert estimate.waits == waits, name
    return seen


async def _paid(world, name):
    return sum(one.amount.units for one in await world.payouts_of(world.members[name]))


@pytest.fixture
async def world(store, clock):
    """ann gives 900 msat short of 2 sat a month to eve, who may be paid from 3 sat on."""
    async with open_world(store, clock) as opened:
        opened.change_rules(payout_min=sats(3), dues=sats(5))
        await opened.join("ann", "eve")
        await opened.thing("song", "eve")
        await opened.target("eve")
        yield opened


async def _month(world, month):
    await world.fund("ann", sats(2), to_pot=True, at_s=None)
    await world.flattr("ann", "song")
    return await _waits(world, month)


async def test_what_was_earned_before_reaches_the_minimum_with_the_month(world):
    await world.fund("eve", sats(5), to_pot=True, at_s=None)  # without a flattr it rolls over
    assert await _month(world, MONTH) == {"eve": SMALL_WORDS}
    await world.close(MONTH)
    assert await _paid(world, "eve") == 0
    assert await world.balance(accounts.earned(Asset.SAT, world.members["eve"])) == 1_800
    assert await _month(world, MONTH.plus(1)) == {"eve": None}
    await world.close(MONTH.plus(1))
    assert await _paid(world, "eve") == 3_000


async def test_what_was_held_is_released_with_the_dues_and_paid_with_the_month(world):
    assert await _month(world, MONTH) == {"eve": DUES_WORDS}
    await world.close(MONTH)
    assert await world.balance(accounts.held(Asset.SAT, world.members["eve"])) == 1_800
    await world.fund("eve", sats(5), to_pot=True, at_s=None)
    assert await _month(world, MONTH.plus(1)) == {"eve": None}
    await world.close(MONTH.plus(1))
    assert await _paid(world, "eve") == 3_000
