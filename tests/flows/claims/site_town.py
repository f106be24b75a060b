"""A site in this process that says what a test wants, its DNS, and members who claim it.

The site is `127.0.0.1:PORT`, which the fetcher may ask over plain http; its DNS is a resolver on
another loopback port, that is asked over UDP.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
from aiohttp import web

from node.clock import ManualClock
from node.flows import claim, join
from node.flows.claim import Claiming
from node.flows.proofs import Eyes, claim_line
from node.ids import MemberId
from node.store.engine import Store
from node.wallet.fetch import open_fetcher
from node.wallet.txt_records import TxtRecords

NODE_URL = "https://node.example"
FILE = "/.well-known/flattr-node.txt"
NOSTR = "/.well-known/nostr.json"


class Pages:
    """What the site answers, by path: a text, or a status with what it says."""

    def __init__(self) -> None:
        self.says: dict[str, str | tuple[int, str]] = {}
        self.asked: list[str] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path_qs)
        said = self.says.get(request.path, (404, "nothing here"))
        status, text = said if isinstance(said, tuple) else (200, said)
        headers = {"Location": text} if 300 <= status < 400 else {}
        return web.Response(status=status, text=text, content_type="text/html", headers=headers)


class Zone(asyncio.DatagramProtocol):
    """A resolver that knows the TXT records of `says`; with `silent` it answers nothing."""

    def __init__(self) -> None:
        self.says: dict[str, list[str]] = {}
        self.silent = False
        self.broken = False
        self.asked: list[str] = []
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        query = dns.message.from_wire(data)
        name = query.question[0].name.to_text().rstrip(".")
        self.asked.append(name)
        if self.silent:
            return
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.RA
        if self.broken:
            reply.set_rcode(dns.rcode.SERVFAIL)
        elif texts := self.says.get(name):
            rows = [
                " ".join(f'"{text[i : i + 200]}"' for i in range(0, len(text), 200))
                for text in texts
            ]
            reply.answer.append(
                dns.rrset.from_text_list(query.question[0].name, 60, "IN", "TXT", rows)
            )
        else:
            reply.set_rcode(dns.rcode.NXDOMAIN)
        assert self._transport is not None
        self._transport.sendto(reply.to_wire(), addr)


@dataclass
class Site:
    """A site in this process, and how the node looks at it."""

    eyes: Eyes
    pages: Pages
    zone: Zone
    name: str

    @property
    def home(self) -> str:
        return f"http://{self.name}/"


@dataclass
class SiteTown:
    """The node's side and the site's side of claims."""

    claiming: Claiming
    clock: ManualClock
    pages: Pages
    zone: Zone
    site: str
    members: dict[str, MemberId] = field(default_factory=dict)

    @property
    def store(self) -> Store:
        return self.claiming.store

    @property
    def home(self) -> str:
        return f"http://{self.site}/"

    async def join(self, *names: str) -> None:
        for name in names:
            self.members[name], _ = await join.join(self.store, self.clock, name)

    def line(self, name: str) -> str:
        return claim_line(NODE_URL, self.members[name], name)

    def put_file(self, *names: str) -> None:
        """The well-known file names these members."""
        self.pages.says[FILE] = "".join(f"{self.line(name)}\n" for name in names)

    async def thing(self, path: str, title: str = "") -> int:
        url = f"http://{self.site}{path}"
        return (await claim.add_thing(self.store, self.clock, url, title)).id

    async def owner(self, thing: int) -> str | None:
        found = await claim.get_thing(self.store, cast(Any, thing))
        return next((n for n, id_ in self.members.items() if id_ == found.owner), None)


@asynccontextmanager
async def open_site(clock: ManualClock) -> AsyncIterator[Site]:
    """A site that answers 404 to everything, and a zone without records."""
    pages = Pages()
    app = web.Application()
    app.router.add_get("/{path:.*}", pages.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    loop = asyncio.get_running_loop()
    transport, zone = await loop.create_datagram_endpoint(Zone, local_addr=("127.0.0.1", 0))
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        name = f"127.0.0.1:{runner.addresses[0][1]}"
        port = transport.get_extra_info("sockname")[1]
        async with open_fetcher(allow=frozenset({name}), clock=clock) as fetcher:
            yield Site(Eyes(fetcher, TxtRecords(f"127.0.0.1:{port}")), pages, zone, name)
    finally:
        transport.close()
        await runner.cleanup()


@asynccontextmanager
async def open_site_town(store: Store, clock: ManualClock) -> AsyncIterator[SiteTown]:
    """A site, and a node's database."""
    async with open_site(clock) as site:
        claiming = Claiming(store, clock, site.eyes, NODE_URL)
        yield SiteTown(claiming, clock, site.pages, site.zone, site.name)
