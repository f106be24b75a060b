"""An answer that is costly to get, and so is kept for some seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

from node.clock import Clock

_SECOND_US: Final = 1_000_000

Thing = TypeVar("Thing")


class Known(Generic[Thing]):
    """One answer that is costly to get, asked for at most once in `fresh_s`, by one at a time."""

    def __init__(self, clock: Clock, fresh_s: float, ask: Callable[[], Awaitable[Thing]]) -> None:
        self._clock = clock
        self._fresh_us = round(fresh_s * _SECOND_US)
        self._ask = ask
        self._asking = asyncio.Lock()
        self._known: tuple[int, Thing] | None = None

    async def look(self, *, again: bool = False) -> Thing:
        """The answer; `again`: a new one."""
        async with self._asking:
            now_us = self._clock.now_us()
            if again or self._known is None or now_us >= self._known[0] + self._fresh_us:
                self._known = now_us, await self._ask()
            return self._known[1]
