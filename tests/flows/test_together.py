"""Those who ask at the same time share a lookup, and nobody waits for another's trouble."""

import asyncio

import pytest

from node.errors import Busy
from node.flows import together
from node.flows.together import Together


class Shelf:
    """Finds numbers as words, when it is let; remembers what it was asked together."""

    def __init__(self):
        self.asked = []
        self.open = asyncio.Event()
        self.broken = False

    async def find(self, keys):
        self.asked.append(sorted(keys))
        await self.open.wait()
        if self.broken:
            raise OSError("the shelf is away")
        return {key: str(key) for key in keys if key < 100}


async def test_a_lone_question_is_asked_at_once_and_those_that_come_meanwhile_share_the_next():
    shelf = Shelf()
    asked = Together(shelf.find)
    first = asyncio.create_task(asked.get(1))
    while not shelf.asked:
        await asyncio.sleep(0)
    others = [asyncio.create_task(asked.get(number)) for number in (2, 3, 3, 100)]
    await asyncio.sleep(0)
    shelf.open.set()
    assert await asyncio.gather(first, *others) == ["1", "2", "3", "3", None]
    assert shelf.asked == [[1], [2, 3, 100]]
    assert await asked.get(1) == "1"
    assert shelf.asked[2:] == [[1]], "nothing is remembered here"


async def test_who_goes_away_does_not_end_it_for_the_others():
    shelf = Shelf()
    asked = Together(shelf.find)
    gone, stays = (asyncio.create_task(asked.get(number)) for number in (1, 1))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    shelf.open.set()
    assert await stays == "1"
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_a_failed_lookup_is_told_to_those_who_wait_for_it_and_to_nobody_else():
    shelf = Shelf()
    shelf.broken = True
    shelf.open.set()
    asked = Together(shelf.find)
    found = await asyncio.gather(asked.get(1), asked.get(2), return_exceptions=True)
    assert [str(error) for error in found] == ["the shelf is away"] * 2
    shelf.broken = False
    assert await asked.get(1) == "1"


async def test_too_many_keys_are_refused_and_not_kept(monkeypatch):
    monkeypatch.setattr(together, "KEYS_MAX", 2)
    shelf = Shelf()
    asked = Together(shelf.find)
    waiting = [asyncio.create_task(asked.get(number)) for number in (1, 2)]
    await asyncio.sleep(0)
    more = [asyncio.create_task(asked.get(number)) for number in (3, 4, 5)]
    await asyncio.sleep(0)
    shelf.open.set()
    found = await asyncio.gather(*waiting, *more, return_exceptions=True)
    assert [str(one) for one in found[:4]] == ["1", "2", "3", "4"]
    assert isinstance(found[4], Busy)
