"""The operator's listener: an application of its own, on a host that others can't reach.

Its connections have the limits and the deadline of the public server's (`web/server.py`). None of
its pages is on the public one, and none of the public ones is here.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, cast

from aiohttp import web

from node.config import OperatorSettings, check_operator
from node.errors import ConfigError, NotFound
from node.flows.diagnose import Finding
from node.flows.node import Node
from node.flows.operator import access, checks
from node.web.endpoint import RawHandler
from node.web.fallback import expect
from node.web.keys import DESK
from node.web.operator.console import CONSOLE, Console, ConsoleBrowser
from node.web.operator.known import Known
from node.web.operator.metrics import serve_metrics
from node.web.operator.page import bind, show_error
from node.web.operator.snapshot import Snapshots
from node.web.operator.table import ALL_PAGES
from node.web.pages import headers
from node.web.server import BACKLOG, Connections, WebServer

CHECKS_FRESH_S: Final = 30
SHUTDOWN_S: Final = 3


@asynccontextmanager
async def open_console(
    node: Node, public: WebServer, folder: Path, secret_files: tuple[Path, ...] = ()
) -> AsyncIterator[Console | None]:
    """Serve the console until the block ends; None when the settings switch it off.

    `folder`, `secret_files`: what the checks look at. Raises ConfigError for an address that others
    reach, or that can't be listened on.
    """
    settings = node.settings.operator
    if not settings.enabled:
        yield None
        return
    check_operator(settings)
    console_app = web.Application(client_max_size=node.settings.web.body_max_bytes)
    runner = web.AppRunner(console_app, access_log=None, shutdown_timeout=SHUTDOWN_S)
    sock = _bound(settings)
    try:
        port = int(sock.getsockname()[1])
        console = _console(node, public, port, lambda: checks.look(node, folder, secret_files))
        console_app[CONSOLE] = console
        _add_routes(console_app)
        await runner.setup()
        connections = Connections(node, cast("web.Server", runner.server))
        loop = asyncio.get_running_loop()
        server = await loop.create_server(connections.open, sock=sock, backlog=BACKLOG)
        try:
            yield console
        finally:
            console.ending.set()
            server.close()
    finally:
        await runner.cleanup()
        sock.close()


async def first_link(node: Node, console: Console) -> str | None:
    """A one-time link for the operator, as long as no passkey is there; None after that."""
    if not await access.needs_link(node.store):
        return None
    return link_of(console.url, await access.make_link(node.store, node.clock, access.NODE))


def url_of(settings: OperatorSettings, port: int | None = None) -> str:
    """How the operator's browser reaches the console. `port`: what is really listened on.

    By a name, not by a number: browsers make passkeys for names alone.
    """
    return settings.url.rstrip("/") or f"http://localhost:{port or settings.port}"


def link_of(url: str, secret: str) -> str:
    """The URL that a one-time link is."""
    return f"{url}/link/{secret}"


def _console(
    node: Node, public: WebServer, port: int, look: Callable[[], Awaitable[list[Finding]]]
) -> Console:
    desk = public.app[DESK]
    looked = Known(node.clock, CHECKS_FRESH_S, look)
    url, snapshots = url_of(node.settings.operator, port), Snapshots(node, desk.lightning)
    return Console(desk, url, port, looked, public.latencies, snapshots)


def _bound(settings: OperatorSettings) -> socket.socket:
    """A socket on the console's address. Raises ConfigError."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((settings.host, settings.port))
    except OSError as error:
        sock.close()
        raise ConfigError(
            f"{settings.host}:{settings.port} can't be listened on: {error}."
            " Set operator.host and operator.port, or operator.enabled = false"
        ) from error
    return sock


def _add_routes(app: web.Application) -> None:
    for page in ALL_PAGES:
        _add(app, page.method, page.path, bind(page))
    _add(app, "GET", "/metrics", serve_metrics)
    app.router.add_route("*", "/{anything:.*}", _unknown, expect_handler=expect)


def _add(app: web.Application, method: str, path: str, handler: RawHandler) -> None:
    app.router.add_route(method, path, handler, expect_handler=expect)


async def _unknown(request: web.Request) -> web.StreamResponse:
    """What no page of the console takes."""
    console = request.app[CONSOLE]
    browser = ConsoleBrowser(request, console.node.settings, console.url)
    error = NotFound("the console has no such page: its first one is at /")
    response = await show_error(console, request, browser, error)
    headers.add(response, console.desk)
    return response
