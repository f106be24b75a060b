"""Counters, as JSON and as badges: what other sites embed, so what may be asked often.

    GET /api/v1/public/things/{thing}/count    404 if there is no such thing
    GET /api/v1/public/count?url=              of a URL that nobody has named yet: 0
    GET /badge/{thing}.svg                     the same two as pictures; 0 if there is no such thing
    GET /badge.svg?url=

An answer is kept for FRESH_S, its ETag is the hash of its bytes, and caches may keep it as long.
Asking makes no thing. Any site may read an answer: it says the same to everybody.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from aiohttp import web

from node.canonical import canonical_url
from node.errors import BadInput, NotFound
from node.flows import public
from node.flows.node import Node
from node.flows.public import Popularity
from node.flows.together import Together
from node.ids import ThingId
from node.web import problems, reading
from node.web.embed.badge import draw_badge
from node.web.keys import DESK
from node.web.models.things import CountOut
from node.web.prepared import PreparedHead

FRESH_S: Final = 60
KEPT_MAX: Final = 20_000
PATH_CHARS_MAX: Final = 1000
"""Longer paths are answered and not kept: memory is bounded."""
FOR_ALL_SITES: Final = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
}
JSON_HEADERS: Final = {"Content-Type": "application/json"}
SVG_HEADERS: Final = {
    "Content-Type": "image/svg+xml; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
}
"""The style is the picture's own, and a picture that is opened as a page does nothing else."""

Draw = Callable[[Node, Popularity | None], bytes]
Name = Callable[[web.Request], int | str]


@dataclass(frozen=True, slots=True)
class _Kept:
    """An answer of late."""

    body: bytes
    tag: str
    fresh_until_us: int


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of answers: how a thing is named, how its count is drawn, and the head of all."""

    name: Name
    draw: Draw
    headers: dict[str, str]
    prepared: PreparedHead


class Counters:
    """The four handlers, with what was answered lately, by the path as it was written."""

    def __init__(self, node: Node) -> None:
        self._network = node.settings.network
        self._node = node
        self._things = Together[ThingId, Popularity](
            partial(public.popularities, node.store, node.clock)
        )
        self._urls = Together[str, Popularity](
            partial(public.popularities_of_urls, node.store, node.clock)
        )
        self._kept: dict[str, _Kept] = {}
        self._count = self._kind(_number, _count_of_known, JSON_HEADERS)
        self._count_of_url = self._kind(_url, _count, JSON_HEADERS)
        self._badge = self._kind(_number, _badge, SVG_HEADERS)
        self._badge_of_url = self._kind(_url, _badge, SVG_HEADERS)

    async def count(self, request: web.Request) -> web.StreamResponse:
        """GET /public/things/{thing}/count."""
        return await self._answer(request, self._count)

    async def count_of_url(self, request: web.Request) -> web.StreamResponse:
        """GET /public/count?url=."""
        return await self._answer(request, self._count_of_url)

    async def badge(self, request: web.Request) -> web.StreamResponse:
        """GET /badge/{thing}.svg."""
        return await self._answer(request, self._badge)

    async def badge_of_url(self, request: web.Request) -> web.StreamResponse:
        """GET /badge.svg?url=."""
        return await self._answer(request, self._badge_of_url)

    def _kind(self, name: Name, draw: Draw, own: Mapping[str, str]) -> _Kind:
        headers = {
            "Cache-Control": f"public, max-age={FRESH_S}",
            "Flattr-Network": self._network,
            **FOR_ALL_SITES,
        }
        return _Kind(name, draw, headers, PreparedHead({**headers, **own}))

    async def _answer(self, request: web.Request, kind: _Kind) -> web.StreamResponse:
        """200 with an ETag, or 304."""
        desk = request.app[DESK]
        try:
            desk.limits.count(desk.limits.address_of(request))
            kept = self._kept.get(request.raw_path)
            if kept is None or kept.fresh_until_us <= desk.node.clock.now_us():
                kept = await self._read(request, kind)
        except Exception as error:  # noqa: BLE001  every error is told in one place
            return problems.answer(problems.tell(error), self._network, dict(FOR_ALL_SITES))
        if "If-None-Match" in request.headers and reading.has_already(request, kept.tag):
            headers = {"ETag": kept.tag, **kind.headers}
            return web.Response(status=reading.NOT_MODIFIED, headers=headers)
        return kind.prepared.answer(request, kept.body, kept.tag)

    async def _read(self, request: web.Request, kind: _Kind) -> _Kept:
        """From the database, together with all who ask now. Raises BadInput, BadUrl, NotFound."""
        node, name = self._node, kind.name(request)
        if isinstance(name, int):
            found = await self._things.get(ThingId(name))
        else:
            found = await self._urls.get(canonical_url(name))
        body = kind.draw(node, found)
        tag = hashlib.blake2b(body, digest_size=8).hexdigest()
        kept = _Kept(body, f'"{tag}"', node.clock.now_us() + FRESH_S * 1_000_000)
        if len(request.raw_path) <= PATH_CHARS_MAX:
            if len(self._kept) >= KEPT_MAX:
                del self._kept[next(iter(self._kept))]
            self._kept[request.raw_path] = kept
        return kept


def _number(request: web.Request) -> int:
    reading.query(request, ())
    return reading.row_id(request.match_info["thing"])


def _url(request: web.Request) -> str:
    url = reading.query(request, {"url"}).get("url", "")
    if not url:
        raise BadInput("say which page: ?url=https://…")
    return url


def _count_of_known(node: Node, found: Popularity | None) -> bytes:
    if found is None:
        raise NotFound("there is no such thing here: nobody has flattred or added it yet")
    return _count(node, found)


def _count(node: Node, found: Popularity | None) -> bytes:
    told = CountOut(
        thing=found.thing.id if found else None,
        flattrs=found.flattrs if found else 0,
        flattrs_this_month=found.this_month if found else 0,
        network=node.settings.network,
    )
    return told.model_dump_json().encode()


def _badge(node: Node, found: Popularity | None) -> bytes:
    del node
    if found is None:
        return draw_badge(0, "").encode()
    return draw_badge(found.flattrs, found.thing.title).encode()
