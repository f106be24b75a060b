"""The HTTP server: an application around one node, and connections that can't be held for nothing.

    headers not complete, or nothing asked, for header_deadline_s     closed
    body not complete within header_deadline_s                        408 (`reading.py`)
    more than connections_per_address from one address                closed at once
    more than the process may have open files for                     the one that waits longest
    more or longer header lines than HEADERS_MAX, HEADER_BYTES_MAX    431
    what is no HTTP                                                   400, and closed

aiohttp closes a connection that waits for a request after `keepalive_timeout`, and its clock does
not start again with each byte; but its default is an hour. So the deadline is that setting, and a
test sends half a header to hold aiohttp to it.
"""

from __future__ import annotations

import asyncio
import resource
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from itertools import islice
from typing import Any, Final, cast

import structlog
from aiohttp import web
from aiohttp.http_exceptions import LineTooLong

from node.config import WebSettings
from node.errors import BadInput, ConfigError
from node.flows.node import Node
from node.web import problems
from node.web.keys import DESK, make_desk
from node.web.latencies import AccessNotes, Latencies
from node.web.limits import site_of
from node.web.problems import HeadersTooLarge
from node.web.routes import add_routes, past_the_router

HEADERS_MAX: Final = 100
HEADER_BYTES_MAX: Final = 8190
SHUTDOWN_S: Final = 10
BACKLOG: Final = 512
FILES_RESERVED: Final = 128
"""Of the files that the process may have open: for the database, LND, RPCs and fetches."""
_LOOKED_AT: Final = 64

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class WebServer:
    """A running server."""

    url: str
    port: int
    app: web.Application
    latencies: Latencies


@asynccontextmanager
async def open_server(node: Node, more: Iterable[web.RouteDef] = ()) -> AsyncIterator[WebServer]:
    """Serve the node until the block ends; open answers are finished first.

    `more`: routes beside the node's own, which only the bench has. Raises ConfigError when the
    address can't be listened on.
    """
    settings = node.settings.web
    app = make_app(node)
    app.add_routes(more)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    try:
        server = cast("web.Server", runner.server)
        server.request_handler = past_the_router(app, server.request_handler)
        latencies = Latencies()
        connections = Connections(node, server, latencies)
        listener = await _listen(connections, settings)
        port = listener.sockets[0].getsockname()[1]
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        try:
            yield WebServer(f"http://{host}:{port}", port, app, latencies)
        finally:
            listener.close()
    finally:
        await runner.cleanup()


def make_app(node: Node) -> web.Application:
    """The application, with every route."""
    app = web.Application(client_max_size=node.settings.web.body_max_bytes)
    desk = app[DESK] = make_desk(node)
    app.on_shutdown.append(desk.streams.end)
    add_routes(app)
    return app


class Connections:
    """Makes a protocol for each connection, and counts those that are open by address.

    When there is no room for another, one that waits for a request makes room, the oldest first:
    who is answered is not disturbed, and who comes with a request is let in.
    """

    def __init__(self, node: Node, server: web.Server, latencies: Latencies | None = None) -> None:
        self.latencies = latencies
        self._room = _room()
        self._all: OrderedDict[Connection, None] = OrderedDict()
        self._settings = node.settings.web
        self.network = node.settings.network
        self._server = server
        self._open: Counter[str] = Counter()

    def open(self) -> Connection:
        """A protocol, for asyncio."""
        return Connection(self, self._server, self._settings.header_deadline_s)

    def enter(self, address: str, connection: Connection) -> bool:
        """Count a connection; False if there are too many from its address, or in all."""
        proxy = address in self._settings.trusted_proxies
        site = site_of(address)
        if not proxy and self._open[site] >= self._settings.connections_per_address:
            return False
        if len(self._all) >= self._room and not self._make_room():
            return False
        self._all[connection] = None
        if not proxy:
            self._open[site] += 1
        return True

    def _make_room(self) -> bool:
        """Close the oldest connection that waits; False when none of those looked at does."""
        for connection in list(islice(self._all, _LOOKED_AT)):
            if connection.waits:
                del self._all[connection]
                connection.abort()
                return True
            self._all.move_to_end(connection)
        return False

    def leave(self, address: str, connection: Connection) -> None:
        """A connection that had entered was closed."""
        self._all.pop(connection, None)
        site = site_of(address)
        self._open[site] -= 1
        if self._open[site] <= 0:
            del self._open[site]


class Connection(web.RequestHandler):
    """aiohttp's protocol with our deadline and limits, and errors told as problems."""

    __slots__ = ("_address", "_connections")

    def __init__(self, connections: Connections, server: web.Server, deadline_s: float) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=deadline_s,
            lingering_time=min(deadline_s, 2.0),
            max_line_size=HEADER_BYTES_MAX,
            max_field_size=HEADER_BYTES_MAX,
            max_headers=HEADERS_MAX,
            auto_decompress=False,
            access_log_class=AccessNotes,
            access_log=connections.latencies,  # type: ignore[arg-type]  # handed to AccessNotes
        )
        self._connections = connections
        self._address: str | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, or close it at once."""
        peer = transport.get_extra_info("peername")
        address = peer[0] if isinstance(peer, tuple) else ""
        if not self._connections.enter(address, self):
            self.force_close()  # what it may still bring is not read
            cast("asyncio.Transport", transport).abort()
            return
        self._address = address
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Count it out."""
        if self._address is not None:
            super().connection_lost(exc)
            self._connections.leave(self._address, self)

    @property
    def waits(self) -> bool:
        """Whether no request of it is being answered: it is idle, or its headers are not whole."""
        return not self._request_in_progress

    def abort(self) -> None:
        """Close it at once; nothing is told."""
        if self.transport is not None:
            self.transport.abort()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What is no HTTP, or went wrong outside every handler; the connection is closed."""
        if request.writer.output_size > 0:
            raise ConnectionError("an answer was begun already")
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            error: Exception = exc if isinstance(exc, Exception) else RuntimeError(message)
        elif isinstance(exc, LineTooLong) or "Too many" in str(message):
            error = HeadersTooLarge(f"at most {HEADERS_MAX} lines of {HEADER_BYTES_MAX} bytes")
        else:
            error = BadInput("this is not HTTP as the node reads it")
        response: Any = problems.answer(problems.tell(error), self._connections.network)
        response.force_close()
        return cast("web.StreamResponse", response)


def _room() -> int:
    """How many connections the process may have at once."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(FILES_RESERVED, soft - FILES_RESERVED)


async def _listen(connections: Connections, settings: WebSettings) -> asyncio.Server:
    loop, host, port = asyncio.get_running_loop(), settings.host, settings.port
    shared = settings.processes > 1  # else a second node on the port by mistake would be let in
    try:
        return await loop.create_server(
            connections.open, host, port, backlog=BACKLOG, reuse_port=shared or None
        )
    except OSError as error:
        raise ConfigError(
            f"{host}:{port} can't be listened on: {error}. Set web.host and web.port"
        ) from error
