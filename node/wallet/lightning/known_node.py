"""What lnd said of itself, believed for a moment and by one connection.

A payment is prepared for one lnd and must be sent by the same. To ask it with every payment costs
lnd a tenth of the payment, because it asks its chain before it answers. So its word is kept for
KNOWN_S, and only while the connection that brought it stands: one that broke since may be another
lnd's.
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

    async def get(self) -> LndNode:
        """Who this lnd is. Raises RailUnavailable, ConfigError."""
        now_s, connection = asyncio.get_running_loop().time(), self._channel.unbroken
        known = self._known
        if connection is None or known is None or known.is_old(connection, now_s):
            node = await self._read()
            known = _Known(node, self._channel.unbroken, now_s + KNOWN_S)
            self._known = known
        return known.node
