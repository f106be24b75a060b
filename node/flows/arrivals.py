"""Who waits for a deposit is woken when this process has credited it.

What another process credits is seen by looking: who waits looks again after a while anyway.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Arrivals:
    """The deposits that somebody in this process waits for."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = {}

    @contextmanager
    def watch(self, deposit: str) -> Iterator[asyncio.Event]:
        """An event that is set when the deposit is credited, from now until the block ends."""
        event = asyncio.Event()
        self._waiting.setdefault(deposit, set()).add(event)
        try:
            yield event
        finally:
            waiting = self._waiting[deposit]
            waiting.discard(event)
            if not waiting:
                del self._waiting[deposit]

    def tell(self, deposit: str) -> None:
        """A deposit was credited, and that is committed."""
        for event in self._waiting.get(deposit, ()):
            event.set()
