"""Places in flight: never more than there are, and none after an error that concerns all."""

import asyncio

import pytest

from node.errors import LeaseLost, RailUnavailable
from node.flows.places import Places


async def test_no_more_than_the_places_are_out_at_once():
    places, out, most = Places(3), 0, 0

    async def one() -> None:
        nonlocal out, most
        async with places.take() as place:
            assert place is not None
            out += 1
            most = max(most, out)
            await asyncio.sleep(0)
            out -= 1

    await asyncio.gather(*(one() for _ in range(20)))
    assert most == 3


async def test_who_waits_when_all_places_are_kept_gets_none():
    places = Places(2)
    given = []

    async def one() -> None:
        async with places.take() as place:
            given.append(place is not None)
            await asyncio.sleep(0)
            if place is not None:
                place.kept = True

    async with asyncio.timeout(5):
        await asyncio.gather(*(one() for _ in range(10)))
    assert sorted(given) == [False] * 8 + [True] * 2
    assert places.closed


async def test_without_places_nobody_waits():
    async with asyncio.timeout(5):
        async with Places(0).take() as place:
            assert place is None


async def test_an_error_that_concerns_all_closes_every_place():
    places = Places(5)
    with pytest.raises(LeaseLost):
        async with places.take():
            raise LeaseLost("gone")
    async with places.take() as place:
        assert place is None
    assert places.closed


async def test_a_rail_that_went_away_keeps_the_one_place():
    places = Places(2)
    with pytest.raises(RailUnavailable):
        async with places.take():
            raise RailUnavailable("away")
    assert not places.closed
    async with places.take() as place:
        assert place is not None
        place.kept = True
    assert places.closed
