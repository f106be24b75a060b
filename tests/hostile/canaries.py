"""Listeners on the machine's own addresses: whoever connects has been led inside."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Canaries:
    """What listens, and who came."""

    places: list[tuple[str, int]] = field(default_factory=list)
    visits: list[str] = field(default_factory=list)
    """`host:port` of each connection that was opened."""

    @property
    def port(self) -> int:
        """The port on which all of them listen."""
        return self.places[0][1]


@asynccontextmanager
async def open_canaries() -> AsyncIterator[Canaries]:
    """Listen at each own address, on one port that is free at all of them."""
    canaries = Canaries()
    async with AsyncExitStack() as stack:
        port = 0
        for host in own_addresses():
            server = await asyncio.start_server(_visited(canaries, host), host, port)
            stack.callback(server.close)
            port = server.sockets[0].getsockname()[1]
            canaries.places.append((host, port))
        yield canaries


def own_addresses() -> list[str]:
    """Loopback in both families, and the addresses of the machine's other interfaces."""
    found = ["127.0.0.1", "127.0.0.2", "::1"]
    for family, probe in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        with socket.socket(family, socket.SOCK_DGRAM) as asking:
            try:
                asking.connect((probe, 9))  # sends nothing: it only chooses an own address
            except OSError:
                continue
            found.append(str(asking.getsockname()[0]))
    return list(dict.fromkeys(found))


def _visited(canaries: Canaries, host: str):
    async def visited(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del reader
        canaries.visits.append(host)
        writer.close()

    return visited
