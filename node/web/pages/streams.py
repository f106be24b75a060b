"""The streams of events that are open, so that the server can end them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web


class Streams:
    """The streams of one server, so that it can end."""

    def __init__(self) -> None:
        self._wakes: set[asyncio.Event] = set()
        self.ending = False

    @contextmanager
    def enter(self, wake: asyncio.Event) -> Iterator[None]:
        """A stream that sleeps on `wake`, until the block ends."""
        self._wakes.add(wake)
        try:
            yield
        finally:
            self._wakes.discard(wake)

    async def end(self, app: web.Application) -> None:
        """The server ends: so do the streams."""
        del app
        self.ending = True
        for wake in self._wakes:
            wake.set()
