"""A whole node for a browser, with its tasks running, on a simulated network or on real lnds.

It lives in the month that is over (`devnet/story_clock.py`), so that a test can close that month:
`place.clock.come_back()` is the end of it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from playwright.async_api import Page

from node.app import open_node
from node.clock import SystemClock
from node.config import LndSettings, MoneySettings, OperatorSettings, Settings, WebSettings
from node.devnet.demo_doors import Doors
from node.devnet.demo_network import DemoNetwork, open_real, open_simulated
from node.devnet.example_blog import Blog, open_blog
from node.devnet.processes import HOST, free_ports
from node.devnet.story_clock import StoryClock
from node.flows import join
from node.flows.node import Node
from node.flows.schedule import open_schedule
from node.ids import MemberId
from node.web.operator.console import Console
from node.web.operator.server import first_link, open_console
from node.web.server import open_server

CREATOR = "bea"
"""Who has a Lightning address."""
BLOG_HOST = "localhost"
BUSY = 1_000_000


@dataclass
class Place:
    """The node, and how to reach it."""

    node: Node
    clock: StoryClock
    network: DemoNetwork
    url: str
    doors: Doors
    blog: Blog
    """Another site than the node's: `localhost` on a port of its own."""
    console: Console

    @property
    def domain(self) -> str:
        """Host and port."""
        return urlsplit(self.url).netloc

    async def join(self, name: str) -> MemberId:
        """A new member, without a browser."""
        member, _ = await join.join(self.node.store, self.clock, name)
        return member

    async def operators_link(self) -> str:
        """Opens the console once."""
        link = await first_link(self.node, self.console)
        assert link is not None, "there is no passkey yet"
        return link

    async def enter(self, page: Page, member: MemberId, to: str) -> None:
        """Have this browser be signed in as the member, without a wallet."""
        await page.goto(self.url + self.doors.open(member, to))


@asynccontextmanager
async def open_place(folder: Path, *, real: bool = False) -> AsyncIterator[Place]:
    """Everything, in this process; with `real`, lnd and btcd as processes of their own."""
    clock = StoryClock(SystemClock())
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        lightning = folder / "lightning"
        opening = (
            open_real(lightning, [CREATOR], print)
            if real
            else open_simulated(lightning, [CREATOR], clock)
        )
        network = await enter(opening)
        port, blog_port, console_port = free_ports(3)
        settings = Settings(
            network="simnet",
            fetch_allow=network.fetch_allow | {f"{BLOG_HOST}:{blog_port}"},
            lnd=LndSettings(lndconnect=network.lndconnect),
            money=MoneySettings(
                operator_target=network.operator_target, close_needs_approval=True
            ),
            operator=OperatorSettings(port=console_port),
            web=WebSettings(
                port=port, public_url=f"http://{HOST}:{port}", requests_per_minute=BUSY,
                joins_per_hour=BUSY,
            ),
        )  # fmt: skip
        node = await enter(open_node(settings, folder / "node", clock))
        doors = Doors()
        server = await enter(open_server(node, [doors.route]))
        await enter(open_schedule(node))
        blog = await enter(open_blog(server.url, blog_port, BLOG_HOST))
        console = await enter(open_console(node, server, folder / "node"))
        assert console is not None, "the settings have it"
        yield Place(node, clock, network, server.url, doors, blog, console)
