"""A node's parts as far as they fetch, in the hands of an attacker who owns the DNS.

Nothing leaves the machine: a connection to a public address is refused where the socket would be
connected, so what is counted at the canaries is what a wrong answer of the guard lets through.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final

from aiohttp.abc import AbstractResolver, ResolveResult

from node.clock import ManualClock
from node.flows import join
from node.flows.claim import Claiming
from node.flows.proofs import Eyes
from node.ids import MemberId
from node.store.engine import Store, open_store
from node.wallet.fetch import Fetcher, open_fetcher
from node.wallet.hosts import FetchLimits
from node.wallet.txt_records import TxtRecords
from tests.hostile.canaries import Canaries, open_canaries
from tests.hostile.ssrf_vectors import as_ip

LIMITS: Final = FetchLimits(total_s=5, connect_s=5, failures_max=10**9)


@dataclass
class Names(AbstractResolver):
    """The attacker's DNS: every name, in turn, and at the canaries' port."""

    port: int
    answers: tuple[tuple[str, ...], ...] = ()
    turn: int = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Answer, whatever is asked."""
        del port, family
        answer = self.answers[min(self.turn, len(self.answers) - 1)]
        self.turn += 1
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=self.port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in answer
        ]

    async def close(self) -> None:
        """Nothing is open."""


class NoRecords(TxtRecords):
    """The operator's own resolver, which asks no stranger's host: there is no such record."""

    async def texts(self, name: str) -> list[str]:
        """None."""
        del name
        return []


@dataclass
class Place:
    """A node's parts as far as they fetch, the attacker's DNS, and a server that may be asked."""

    fetcher: Fetcher
    names: Names
    canaries: Canaries
    store: Store
    clock: ManualClock
    member: MemberId
    server: str
    says: bytes = b""
    """What the server that may be asked answers."""
    numbers: Iterator[int] = field(default_factory=count)

    @property
    def claiming(self) -> Claiming:
        """For claims of things and sites."""
        eyes = Eyes(self.fetcher, NoRecords())
        return Claiming(self.store, self.clock, eyes, "https://node.example")


@asynccontextmanager
async def open_place(folder: Path) -> AsyncIterator[Place]:
    """All of it, on a new database."""
    clock = ManualClock(1_800_000_000)
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        canaries = await enter(open_canaries())
        names = Names(canaries.port)
        store = await enter(open_store(f"sqlite:///{folder / 'ssrf.sqlite'}"))
        member, _ = await join.join(store, clock, "mallory")
        held: list[Place] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                await reader.readuntil(b"\r\n\r\n")
                writer.write(held[0].says)
                await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        stack.callback(server.close)
        allowed = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        fetcher = await enter(
            open_fetcher(allow=frozenset({allowed}), resolver=names, limits=LIMITS)
        )
        stack.callback(_keep_inside())
        held.append(Place(fetcher, names, canaries, store, clock, member, allowed))
        yield held[0]


def _keep_inside() -> Callable[[], None]:
    """Refuse connections to other machines, where asyncio would make them. Returns the undoing."""
    loop: Any = asyncio.get_running_loop()
    connect = loop.sock_connect

    async def sock_connect(sock: socket.socket, address: tuple[Any, ...]) -> None:
        ip = as_ip(str(address[0]))
        if ip is not None and ip.is_global and not str(ip).startswith("::ffff:"):
            raise ConnectionRefusedError("a test stays on this machine")
        await asyncio.wait_for(connect(sock, address), 2)

    loop.sock_connect = sock_connect
    return lambda: delattr(loop, "sock_connect")
