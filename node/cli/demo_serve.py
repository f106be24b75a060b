"""The demo after its month: the node serves on, and links lead to what each kind of person sees.

reader, creator   signed in by the link                          devnet/demo_doors.py
wallet            pays the invoices shown, signs in              devnet/wallet_site.py
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from node.cli.demo_page import SIMULATED, Page
from node.clock import now_s
from node.devnet.auth_wallet import AuthWallet
from node.devnet.demo_doors import Doors
from node.devnet.example_blog import Blog, open_blog
from node.devnet.story import Story
from node.devnet.story_now import begin_month
from node.devnet.visitor import API
from node.devnet.wallet_site import Invoice, Wallets, WalletSite, open_wallet_site
from node.flows import claim
from node.flows.schedule import open_schedule
from node.money import Amount, Asset
from node.store import deposits, identities
from node.store.identities import Identity
from node.web.operator.server import first_link, open_console
from node.web.server import WebServer

INVOICES_MAX: Final = 20


BLOG_HOST: Final = "localhost"
"""Another site than the node's 127.0.0.1, as the sites in the world are."""


@dataclass(frozen=True, slots=True)
class Ports:
    """What listens where on this machine. They are known before the node, whose settings say so."""

    node: int
    blog: int
    operator: int


@dataclass(frozen=True, slots=True)
class Serving:
    """The demo's node as it serves: its server, the blog's port, the folder, the doors."""

    server: WebServer
    blog_port: int
    folder: Path
    doors: Doors

    @property
    def url(self) -> str:
        """The node's."""
        return self.server.url


async def serve_on(story: Story, page: Page, serving: Serving) -> None:
    """Serve until Ctrl-C or SIGTERM."""
    async with AsyncExitStack() as stack:
        page.chapter("The node serves on")
        await begin_month(story)
        wallets = await stack.enter_async_context(_open_wallets(story, page, serving.url))
        blog = await stack.enter_async_context(open_blog(serving.url, serving.blog_port, BLOG_HOST))
        creator = story.visitor[story.plan.creators[0].name].member
        blog.prove((await claim.claimer(story.node.claiming, creator)).line)
        console = await stack.enter_async_context(
            open_console(story.node, serving.server, serving.folder / "node")
        )
        _say_links(story, page, serving, wallets, blog)
        if console is not None and (link := await first_link(story.node, console)) is not None:
            page.link("operator", link, "the operator's console: opens once, within an hour")
        _say_commands(story, page, serving)
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        await stack.enter_async_context(open_schedule(story.node))
        await stop.wait()


def _say_links(story: Story, page: Page, serving: Serving, wallets: WalletSite, blog: Blog) -> None:
    reader, creator = story.plan.readers[0].name, story.plan.creators[0].name
    page.say("Open in a browser:")
    for kind, name, to in (("reader", reader, "/month"), ("creator", creator, "/creator/earnings")):
        door = serving.doors.open(story.visitor[name].member, to)
        page.link(kind, serving.url + door, f"signed in as {name}")
    page.link("blog", f"{blog.url}/", f"a site with buttons, which {creator} can claim")
    page.link("wallet", wallets.of(reader), "pays the invoices shown, and signs in")
    page.link("address", _address(story), "a Lightning address, to withdraw to")
    page.link("welcome", f"{serving.url}/", "what a stranger sees")


def _address(story: Story) -> str:
    """Of a creator who has one, or else of the operator."""
    for planned in story.plan.creators:
        if planned.target == "address":
            return story.network.lnurl.address(planned.name)
    return story.network.operator_target


def _say_commands(story: Story, page: Page, serving: Serving) -> None:
    reader, url = next(iter(story.visitor.values())), serving.url
    public, mine = f"{url}{API}/public", f"-H 'Authorization: Bearer {reader.secret}' {url}{API}"
    page.say(
        f"Ctrl-C ends it. Its folder is {serving.folder}; the API is described at "
        f"{url}/openapi.json"
    )
    page.say("The closed month, for everybody, and what was flattred most:")
    page.command(f"curl {public}/months")
    page.command(f"curl '{public}/most-flattred?month={story.clock.month}'")
    page.say(f"What {reader.name} sees: the receipt of the month, and the money now:")
    page.command(f"curl {mine}/months/{story.clock.month}")
    page.command(f"curl {mine}/balance")


@asynccontextmanager
async def _open_wallets(story: Story, page: Page, url: str) -> AsyncIterator[WalletSite]:
    """A wallet for each person, with which they sign in as who they are."""
    people = {name: AuthWallet(name) for name in story.visitor}
    for name, wallet in people.items():
        await _introduce(story, name, wallet.public_key(urlsplit(url).netloc))
    label = SIMULATED if page.simulated else "simnet: worthless coins"
    pay, waiting = story.network.readers.pay, partial(_waiting, story)
    wallets = Wallets(label, url, people, pay, waiting)
    async with open_wallet_site(wallets) as site:
        yield site


async def _introduce(story: Story, name: str, key: str) -> None:
    """The node knows whose wallet this is, as if it had signed in before."""
    now_us = story.clock.now_us()
    member = story.visitor[name].member
    identity = Identity(f"demo-{name}", "lightning", key, member, now_us, now_us)
    async with story.node.store.write() as tx:
        await identities.add(tx, identity)


async def _waiting(story: Story, name: str) -> list[Invoice]:
    async with story.node.store.read() as tx:
        found = await deposits.of_member(tx, story.visitor[name].member, INVOICES_MAX)
    return [
        Invoice(one.payment_request, str(Amount(one.units, Asset.SAT)))
        for one in found
        if one.state == "open" and one.payment_request and one.expires_s > now_s(story.clock)
    ]
