"""What lnd said of itself, believed for a moment and by one connection.

A payment is prepared for one lnd and must be sent by the same. To ask it with every payment costs
lnd a tenth of the payment, because it asks its chain before it answers. So its word is kept for
KNOWN_S, and only while the connection that brought it stands: one that broke since may be another
lnd's. Those who ask at the same time share one question: a round prepares hundreds at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from node.wallet.lightning.answers import LndNode
from node.wallet.lightning.channel import LndChannel

KNOWN_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class _Known:
    node: LndNode
    connection: int | None
    until_s: float

    def is_old(self, connection: int, at_s: float) -> bool:
        return self.connection != connection or at_s >= self.until_s


class KnownNode:
    """Asks `read` when what is known is too old, or was another connection's."""

    def __init__(self, channel: LndChannel, read: Callable[[], Awaitable[LndNode]]) -> None:
        self._channel = channel
        self._read = read
        self._known: _Known | None = None
        self._asking: asyncio.Task[LndNode] | None = None

    async def get(self) -> LndNode:
        """Who this lnd is. Raises RailUnavailable, ConfigError."""
        now_s, connection, known = self._now_s(), self._channel.unbroken, self._known
        if connection is not None and known is not None and not known.is_old(connection, now_s):
            return known.node
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask(), name="ask lnd who it is")
            self._asking.add_done_callback(_look_at)
        return await asyncio.shield(self._asking)  # who goes away must not end it for the others

    async def _ask(self) -> LndNode:
        try:
            asked_s = self._now_s()
            node = await self._read()
            self._known = _Known(node, self._channel.unbroken, asked_s + KNOWN_S)
            return node
        finally:
            self._asking = None

    def _now_s(self) -> float:
        return asyncio.get_running_loop().time()


def _look_at(asking: asyncio.Task[LndNode]) -> None:
    """Marked as seen: all who asked may have gone away."""
    if not asking.cancelled():
        asking.exception()
