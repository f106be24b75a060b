"""Look up together what is asked for at the same time: one query for all who wait.

There is no timer. While one lookup is under way, the next one's keys gather, so a lone question is
asked at once, and a thousand at the same time share a few queries (as clicks share a commit).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, Generic, TypeVar

from node.errors import Busy

KEYS_MAX: Final = 10_000
"""How many different keys may gather."""

K = TypeVar("K")
V = TypeVar("V")


class _Gathering(Generic[K, V]):
    """Keys that are looked up together, and the one future that those who ask wait for."""

    __slots__ = ("done", "keys")

    def __init__(self) -> None:
        self.keys: set[K] = set()
        self.done: asyncio.Future[Mapping[K, V]] = asyncio.get_running_loop().create_future()


class Together(Generic[K, V]):
    """Looks keys up by `find`, which gets many at a time and leaves out what is not there."""

    def __init__(self, find: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]]) -> None:
        self._find = find
        self._gathering: _Gathering[K, V] | None = None
        self._looking: asyncio.Task[None] | None = None

    async def get(self, key: K) -> V | None:
        """What `find` has for this key. Raises what it raises, and Busy."""
        gathering = self._gathering = self._gathering or _Gathering()
        if len(gathering.keys) >= KEYS_MAX:
            raise Busy("too many requests wait for the database: try again in a second")
        gathering.keys.add(key)
        if self._looking is None:
            self._looking = asyncio.create_task(self._look(), name="look up together")
        # Shielded, because who goes away must not end it for the others.
        return (await asyncio.shield(gathering.done)).get(key)

    async def _look(self) -> None:
        """Look up what has gathered, until nothing has."""
        while (gathering := self._gathering) is not None:
            self._gathering = None
            try:
                found = await self._find(list(gathering.keys))
            except Exception as error:  # noqa: BLE001  raised to everybody who waits
                gathering.done.set_exception(error)
                gathering.done.exception()  # marked as seen: all of them may have gone away
            else:
                gathering.done.set_result(found)
        self._looking = None
