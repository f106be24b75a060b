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
from typing import Final

from aiohttp import web

from node.canonical import canonical_url
from node.errors import BadInput, NotFound
from node.flows import public
from node.flows.node import Node
from node.flows.public import Popularity
from node.ids import ThingId
from node.web import problems, reading
from node.web.embed.badge import draw_badge
from node.web.keys import DESK
from node.web.models.things import CountOut

FRESH_S: Final = 60
KEPT_MAX: Final = 50_000
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


@dataclass(frozen=True, slots=True)
class _Kept:
    """An answer of late."""

    body: bytes
    tag: str
    fresh_until_us: int


class Counters:
    """The four handlers, with what was answered lately."""

    def __init__(self) -> None:
        self._kept: dict[tuple[Draw, int | str], _Kept] = {}

    async def count(self, request: web.Request) -> web.Response:
        """GET /public/things/{thing}/count."""
        return await self._answer(request, _number, _count_of_known, JSON_HEADERS)

    async def count_of_url(self, request: web.Request) -> web.Response:
        """GET /public/count?url=."""
        return await self._answer(request, _url, _count, JSON_HEADERS)

    async def badge(self, request: web.Request) -> web.Response:
        """GET /badge/{thing}.svg."""
        return await self._answer(request, _number, _badge, SVG_HEADERS)

    async def badge_of_url(self, request: web.Request) -> web.Response:
        """GET /badge.svg?url=."""
        return await self._answer(request, _url, _badge, SVG_HEADERS)

    async def _answer(
        self,
        request: web.Request,
        name: Callable[[web.Request], int | str],
        draw: Draw,
        own: Mapping[str, str],
    ) -> web.Response:
        """200 with an ETag, or 304."""
        desk = request.app[DESK]
        network = desk.node.settings.network
        try:
            desk.limits.count(desk.limits.address_of(request))
            key = (draw, name(request))
            kept = self._kept.get(key)
            if kept is None or kept.fresh_until_us <= desk.node.clock.now_us():
                kept = await self._read(desk.node, key)
        except Exception as error:  # noqa: BLE001  every error is told in one place
            return problems.answer(problems.tell(error), network, dict(FOR_ALL_SITES))
        headers = {
            "ETag": kept.tag,
            "Cache-Control": f"public, max-age={FRESH_S}",
            "Flattr-Network": network,
            **FOR_ALL_SITES,
        }
        if reading.has_already(request, kept.tag):
            return web.Response(status=reading.NOT_MODIFIED, headers=headers)
        return web.Response(body=kept.body, headers={**headers, **own})

    async def _read(self, node: Node, key: tuple[Draw, int | str]) -> _Kept:
        draw, name = key
        body = draw(node, await _popularity(node, name))
        tag = hashlib.blake2b(body, digest_size=8).hexdigest()
        kept = _Kept(body, f'"{tag}"', node.clock.now_us() + FRESH_S * 1_000_000)
        if len(self._kept) >= KEPT_MAX:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = kept
        return kept


def _number(request: web.Request) -> int:
    reading.query(request, ())
    return reading.row_id(request.match_info["thing"])


def _url(request: web.Request) -> str:
    url = reading.query(request, {"url"}).get("url", "")
    if not url:
        raise BadInput("say which page: ?url=https://…")
    return url


async def _popularity(node: Node, name: int | str) -> Popularity | None:
    """The counters of a thing, by number or URL; None if there is none. Raises BadUrl."""
    try:
        if isinstance(name, int):
            return await public.popularity(node.store, node.clock, ThingId(name))
        return await public.popularity_of_url(node.store, node.clock, canonical_url(name))
    except NotFound:
        return None


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
