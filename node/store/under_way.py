"""What is under way in a database, so that who closes it can wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from node.errors import DatabaseAway


class UnderWay:
    """Counts blocks; once it has ended none begins any more."""

    def __init__(self) -> None:
        self._number = 0
        self._none = asyncio.Event()
        self._none.set()
        self._ended = False

    @contextmanager
    def one(self) -> Iterator[None]:
        """A block that `end` waits for. Raises DatabaseAway."""
        if self._ended:
            raise DatabaseAway("the node is ending")
        self._number += 1
        self._none.clear()
        try:
            yield
        finally:
            self._number -= 1
            if not self._number:
                self._none.set()

    async def end(self, limit_s: float) -> None:
        """Let nobody begin, and wait so long for those that have begun."""
        self._ended = True
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await self._none.wait()
