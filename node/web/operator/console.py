"""What every page of the console may ask for: the node, where the console is, and what it keeps."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from node.config import OWN_HOSTS, Settings
from node.errors import Forbidden
from node.flows.diagnose import Finding
from node.flows.node import Node
from node.flows.operator.passkeys import Site
from node.web.keys import Desk
from node.web.latencies import Latencies
from node.web.operator.known import Known
from node.web.operator.snapshot import Snapshots
from node.web.pages.browser import Browser

TEMPORARY_REDIRECT: Final = 307


@dataclass(frozen=True, slots=True)
class Console:
    """The console of one node. `url`: how the operator's browser reaches it."""

    desk: Desk
    url: str
    port: int
    checks: Known[list[Finding]]
    latencies: Latencies
    snapshots: Snapshots
    """What the metrics are made of, read at most once in a few seconds."""
    ending: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the server ends: streams of events end with it."""

    @property
    def node(self) -> Node:
        """The node."""
        return self.desk.node

    @property
    def host(self) -> str:
        """Host and port, as a browser sends them."""
        return urlsplit(self.url).netloc

    @property
    def site(self) -> Site:
        """Whose passkeys are asked for."""
        name = urlsplit(self.url).hostname or ""
        return Site(name, self.url, f"flattr-node ({self.node.settings.network})")


CONSOLE: Final = web.AppKey("console", Console)


class ConsoleBrowser(Browser):
    """The operator's browser: cookies of other names than those of members, on the same rules."""

    def __init__(self, request: web.Request, settings: Settings, url: str) -> None:
        self._encrypted = url.startswith("https:")
        super().__init__(request, settings)
        self._secure = self._encrypted

    def _name(self, suffix: str) -> str:
        return ("__Host-flattr-operator" if self._encrypted else "flattr-operator") + suffix


def right_place(console: Console, request: web.Request) -> web.Response | None:
    """The way to the console's own URL, for who came by another name of this machine.

    None: it is the right one. Raises Forbidden for a foreign name, as DNS rebinding would bring.
    """
    if request.host == console.host:
        return None
    try:
        name = urlsplit("//" + request.host).hostname
    except ValueError:
        name = None
    if name in OWN_HOSTS and request.method == "GET":
        location = console.url + request.rel_url.raw_path_qs
        return web.Response(status=TEMPORARY_REDIRECT, headers={"Location": location})
    raise Forbidden(f"the operator's console is at {console.url}, and nowhere else")


def demand_own_origin(console: Console, request: web.Request) -> None:
    """Go on only with what a page of the console has sent. Raises Forbidden."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is None and origin is None:
        raise Forbidden("this form came from no page of the console: open it there and send it")
    if site not in {None, "same-origin"} or (origin is not None and origin != console.url):
        raise Forbidden("this form came from another site: open the console and send it there")
