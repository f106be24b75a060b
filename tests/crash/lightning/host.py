"""A node of the simulation: the real `open_node` in a process that can be killed, and its clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from sqlalchemy.exc import DBAPIError

from node.app import open_node
from node.config import Settings
from node.errors import NodeError
from node.flows import schedule
from node.flows.node import Node, give_up_leases
from node.flows.pay import Payer
from node.wallet.lightning.channel import LndChannel
from node.wallet.lightning.connection import LndConnection
from node.wallet.lightning.lnd import Lnd
from tests.crash.direct_sqlite import open_direct_sqlite
from tests.crash.lightning.door import DirectChannel, Place
from tests.crash.lightning.weather import Weather
from tests.crash.lightning.web import DirectFetcher, Servers
from tests.crash.process import Killed, Process, current

BOOT_AGAIN_S: Final = 7.0
BOOTS_MAX: Final = 200
_CONNECTION: Final = LndConnection("lnd", 10009, b"", macaroon_hex="00")


class VirtualClock:
    """The loop's time as a date; `ahead_s`: how much this machine's clock is ahead of the world."""

    def __init__(self, begins_s: int) -> None:
        self.begins_s = begins_s
        self.ahead_s = 0.0

    def now_us(self) -> int:
        """Microseconds since 1970, UTC."""
        passed_s = asyncio.get_running_loop().time() + self.ahead_s
        return self.begins_s * 1_000_000 + int(passed_s * 1_000_000)

    async def sleep(self, seconds: float) -> None:
        """Let the loop's time pass."""
        await asyncio.sleep(seconds)


@dataclass
class Host:
    """A machine with one node on it, which may be down."""

    name: str
    settings: Settings
    folder: Path
    clock: VirtualClock
    boots: int = 0
    process: Process | None = None
    stack: AsyncExitStack | None = None
    node: Node | None = None
    booting: asyncio.Lock = field(default_factory=asyncio.Lock)
    graveyard: list[Any] = field(default_factory=list)
    """What dead processes held: nobody may close it in an orderly way."""

    @property
    def up(self) -> bool:
        """Whether its process lives."""
        return self.process is not None and self.process.alive and self.node is not None

    async def boot(self) -> Node:
        """Start a process, again and again until it comes up."""
        for _ in range(BOOTS_MAX):
            await self.bury()
            self.boots += 1
            self.process = Process(f"{self.name}{self.boots}")
            try:
                self.stack, self.node = await self.process.run(self._open(), "boot")
            except Killed:
                continue
            except (NodeError, OSError, DBAPIError):
                self.process.kill("it did not come up")
                await asyncio.sleep(BOOT_AGAIN_S)
                continue
            self.process.start(schedule._forever(self.node, "watch", schedule._watch), "watch")
            return self.node
        raise AssertionError(f"{self.name} does not come up")

    async def bury(self) -> None:
        """Forget a process that was killed."""
        if self.process is None or self.process.alive:
            return
        await self.process.bury()
        self.graveyard.append((self.stack, self.node, self.process))
        self.process = self.stack = self.node = None

    async def stop(self) -> None:
        """End in order, as at a signal."""
        if not self.up:
            await self.bury()
            return
        assert self.process is not None
        try:
            await self.process.run(self._close(), "stop")
        except Killed:
            await self.bury()
            return
        self.process.kill("it has ended")
        await self.bury()

    async def _open(self) -> tuple[AsyncExitStack, Node]:
        stack = AsyncExitStack()
        opened = open_node(self.settings, self.folder, self.clock)
        return stack, await stack.enter_async_context(opened)

    async def _close(self) -> None:
        assert self.node is not None
        assert self.stack is not None
        try:
            await give_up_leases(self.node)
        finally:
            await self.stack.aclose()


@contextmanager
def open_seams(place: Place, servers: Servers, weather: Weather) -> Iterator[None]:
    """Nodes that are opened within this block live in the model's world."""

    @asynccontextmanager
    async def open_lnd(_: object, *, send_wait_s: float) -> AsyncIterator[Lnd]:
        channel = LndChannel(DirectChannel(place, current()), _CONNECTION)
        yield Lnd(channel, send_wait_s)

    @asynccontextmanager
    async def open_fetcher(**_: object) -> AsyncIterator[DirectFetcher]:
        yield DirectFetcher(servers, current())

    dispatch = Payer._dispatch

    async def dispatch_later(payer: Payer, *what: Any) -> None:
        process = current()
        if pause_s := weather.pause_s(process):
            await asyncio.sleep(pause_s)
            process.demand_alive()
        await dispatch(payer, *what)

    with ExitStack() as stack:
        stack.enter_context(open_direct_sqlite(weather))
        stack.enter_context(servers.network.opened())
        stack.enter_context(patch("node.app.open_lnd", open_lnd))
        stack.enter_context(patch.object(Payer, "_dispatch", dispatch_later))
        stack.enter_context(patch("node.app.open_fetcher", open_fetcher))
        stack.enter_context(patch("node.app.lnd_connection", lambda _: _CONNECTION))
        yield
