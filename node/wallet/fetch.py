"""The only thing in the node that opens sockets to strangers.

A creator names the server which is asked for invoices, so its URL, its DNS, its answer and its
patience belong to somebody who may be hostile. What is asked of each step:

    URL         https, port 443, a full DNS name; no IP literal, user name, .onion, odd character
    breaker     a host that failed again and again is left alone for a while (hosts.py)
    slot        4 at once per host, 256 over all: a tarpit delays only those who chose it
    resolver    every address of the answer is public, or the whole answer is refused
    socket      the address that is connected is judged again, so a rebinding DNS gains nothing
    exchange    no redirect, cookie, proxy or compression; 64 header lines
    body        64 KiB within 10 s from the start, UTF-8, and JSON with one reading (strict_json.py)

`allow` holds `host:port` pairs of a test network: for these alone plain http, any port, literals
and private addresses are in order, through a session of their own; the other rules stay. Whether a
network may have any is the configuration's to say.

Everything that goes wrong is FetchRefused, with a sentence that is safe to show.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from http import HTTPStatus
from ipaddress import ip_network
from typing import Any, Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from node.clock import Clock, SystemClock
from node.errors import FetchRefused
from node.wallet.addresses import Network, is_public
from node.wallet.hosts import FetchLimits, Hosts
from node.wallet.strict_json import read_object

URL_CHARS_MAX: Final = 4096
HEADER_LINES_MAX: Final = 64
HEADER_BYTES_MAX: Final = 8190

_URL: Final = re.compile(
    r"(https?)://([^/?#]*)(?:[/?][A-Za-z0-9._~:/?\[\]@!$&'()*+,;=%-]*)?", re.IGNORECASE | re.ASCII
)
_AUTHORITY: Final = re.compile(r"([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?", re.ASCII)
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
_TOP_LABEL: Final = re.compile(r"[a-z][a-z0-9-]*[a-z0-9]", re.ASCII)
_HOST_CHARS_MAX: Final = 253
_LOCAL_TOPS: Final = frozenset({"localhost", "local", "internal", "lan", "arpa"})
_HTTPS_PORT: Final = 443
_CHUNK_BYTES: Final = 16 * 1024
_HEADERS: Final = {
    "Accept": "application/json, text/plain;q=0.5",
    "Accept-Encoding": "identity",
    "User-Agent": "flattr-node",
}


@asynccontextmanager
async def open_fetcher(
    *,
    allow: frozenset[str] = frozenset(),
    refuse: frozenset[str] = frozenset(),
    clock: Clock | None = None,
    limits: FetchLimits | None = None,
    resolver: AbstractResolver | None = None,
) -> AsyncIterator[Fetcher]:
    """Open the fetcher, and close its connections at the end.

    `allow` holds `host:port` pairs that are exempt from the rules on where; `refuse` networks or
    addresses (the operator's own public ones) that are refused besides. `resolver` replaces the
    system's DNS, never the check of its answers.
    """
    limits = limits or FetchLimits()
    networks = tuple(ip_network(text) for text in sorted(refuse))
    async with AsyncExitStack() as stack:
        names = resolver or aiohttp.ThreadedResolver()
        guard = _Guard(names, networks)
        strict = await stack.enter_async_context(
            _session(limits, resolver=guard, socket_factory=guard.open_socket)
        )
        exempt = await stack.enter_async_context(_session(limits, resolver=names))
        yield Fetcher(strict, exempt, allow, clock or SystemClock(), limits)


class Fetcher:
    """Gets small texts from strangers' hosts. Made by `open_fetcher`."""

    def __init__(
        self,
        strict: aiohttp.ClientSession,
        exempt: aiohttp.ClientSession,
        allow: frozenset[str],
        clock: Clock,
        limits: FetchLimits,
    ) -> None:
        self.allow = allow
        self.limits = limits
        self._strict = strict
        self._exempt = exempt
        self._hosts = Hosts(clock, limits)

    async def get_json(self, url: str, *, limit_bytes: int | None = None) -> dict[str, object]:
        """The JSON object at this URL. Raises FetchRefused."""
        return read_object(await self.get_text(url, limit_bytes=limit_bytes))

    async def get_text(
        self, url: str, *, limit_bytes: int | None = None, accept: str = _HEADERS["Accept"]
    ) -> str:
        """The UTF-8 text at this URL, of at most `limit_bytes`. Raises FetchRefused."""
        authority = check_url(url, self.allow)
        session = self._exempt if authority in self.allow else self._strict
        limit = self.limits.body_bytes if limit_bytes is None else limit_bytes
        async with self._hosts.slot(authority):
            body = await self._get(session, url, limit, authority, accept)
        try:
            return body.decode()
        except UnicodeDecodeError as error:
            raise FetchRefused(f"{authority} answered something that is not UTF-8 text") from error

    async def _get(
        self,
        session: aiohttp.ClientSession,
        url: str,
        limit: int,
        authority: str,
        accept: str,
    ) -> bytes:
        wanted = {"Accept": accept}
        place = URL(url, encoded=True)
        try:
            async with (
                asyncio.timeout(self.limits.total_s),
                session.get(place, allow_redirects=False, headers=wanted) as response,
            ):
                if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                    self._hosts.note(authority, failed=True)
                body = await _body(response, limit, authority)
        except TimeoutError as error:
            self._hosts.note(authority, failed=True)
            raise FetchRefused(f"{authority} did not answer in time") from error
        except aiohttp.ClientSSLError as error:
            self._hosts.note(authority, failed=True)
            raise FetchRefused(f"{authority} has no valid certificate") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            self._hosts.note(authority, failed=True)
            reason = type(error).__name__
            raise FetchRefused(f"{authority} could not be asked ({reason})") from error
        self._hosts.note(authority, failed=False)
        return body


def check_url(url: str, allow: frozenset[str] = frozenset()) -> str:
    """The `host:port` that this URL would connect to.

    Raises FetchRefused when it may not be fetched. Opens nothing.
    """
    found = _URL.fullmatch(url) if len(url) <= URL_CHARS_MAX else None
    if found is None:
        raise FetchRefused("the URL is not a plain https URL")
    scheme, place = found.group(1).lower(), found.group(2).lower()
    parts = _AUTHORITY.fullmatch(place)
    if parts is None:
        raise FetchRefused("the URL's host is not a plain name (and a user name is not allowed)")
    host = parts.group(1)
    port = int(parts.group(2) or (_HTTPS_PORT if scheme == "https" else 80))
    authority = f"{host}:{port}"
    if authority not in allow:
        if scheme != "https" or port != _HTTPS_PORT:
            raise FetchRefused("only https on port 443 is fetched")
        _check_host(host)
    return authority


def _check_host(host: str) -> None:
    labels = host.split(".")
    top = labels[-1]
    if top == "onion":
        raise FetchRefused("onion services are not reachable from this node")
    named = len(host) <= _HOST_CHARS_MAX and all(_LABEL.fullmatch(label) for label in labels)
    if not named or len(labels) == 1 or not _TOP_LABEL.fullmatch(top) or top in _LOCAL_TOPS:
        raise FetchRefused("the URL's host is not the full name of a public site")


async def _body(response: aiohttp.ClientResponse, limit: int, authority: str) -> bytes:
    status = response.status
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        raise FetchRefused(f"{authority} redirects elsewhere, which is not followed", status)
    if status != HTTPStatus.OK:
        raise FetchRefused(f"{authority} answered with status {status}", status)
    if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise FetchRefused(f"{authority} compressed its answer without being asked")
    received = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        received += chunk
        if len(received) > limit:
            raise FetchRefused(f"{authority} answered with more than {limit} bytes")
    return bytes(received)


def _session(limits: FetchLimits, **connector: Any) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, use_dns_cache=False, force_close=True, **connector),
        headers=_HEADERS,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, connect=limits.connect_s),
        trust_env=False,
        auto_decompress=False,
        read_bufsize=_CHUNK_BYTES,
        max_line_size=HEADER_BYTES_MAX,
        max_field_size=HEADER_BYTES_MAX,
        max_headers=HEADER_LINES_MAX,
    )


class _Guard(AbstractResolver):
    """Lets through public addresses: once as the answer of the DNS, once as what is connected."""

    def __init__(self, names: AbstractResolver, refuse: tuple[Network, ...]) -> None:
        self._names = names
        self._refuse = refuse

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        answers = await self._names.resolve(host, port, family)
        if not all(is_public(answer["host"], self._refuse) for answer in answers):
            raise FetchRefused(f"{host} is not on the public internet")
        return answers

    def open_socket(self, address: tuple[Any, ...]) -> socket.socket:
        """Make the socket for one `getaddrinfo` row. Raises OSError for what is not public."""
        family, kind, protocol, _, place = address
        if not is_public(str(place[0]), self._refuse):
            raise PermissionError("not on the public internet")
        return socket.socket(family, kind, protocol)

    async def close(self) -> None:
        await self._names.close()
