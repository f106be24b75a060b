"""Places in flight: how many attempts may be out at once, while many more are being prepared.

A stranger's server may take ten seconds to say nothing. So preparing takes no place: an attempt
asks for one when it is about to be stored, gives it back when it is settled or refused, and keeps
it while it is open. When all places are kept, or something that concerns all was raised, nobody
gets one any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from node.errors import RailUnavailable


@dataclass(slots=True)
class Place:
    """One place in flight. `kept`: its attempt is still open when the block ends."""

    kept: bool = False


class Places:
    """So many places, for the length of a round."""

    def __init__(self, number: int) -> None:
        self._free = asyncio.Semaphore(max(1, number))
        self._left = number

    @property
    def closed(self) -> bool:
        """Whether no place will come free any more."""
        return self._left == 0

    @asynccontextmanager
    async def take(self) -> AsyncIterator[Place | None]:
        """Wait for a place; None when there will be none.

        An error within closes all places, but for RailUnavailable, after which this one is kept,
        for nobody knows whether its attempt is open.
        """
        await self._free.acquire()
        place = Place()
        try:
            yield None if self.closed else place
        except RailUnavailable:
            place.kept = True
            raise
        except BaseException:
            self._left = 0
            raise
        finally:
            self._give_back(place)

    def _give_back(self, place: Place) -> None:
        if place.kept and not self.closed:
            self._left -= 1
        if not place.kept or self.closed:
            self._free.release()
