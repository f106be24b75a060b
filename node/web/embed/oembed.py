"""GET /oembed?url=: what a site that knows oEmbed 1.0 shows for a thing: its badge with a link.

`url` is the thing's own, or that of its page or window on this node. Where the badge would not fit
into `maxwidth` and `maxheight` the answer is of type `link`, which is a title and no picture.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit
from xml.sax.saxutils import quoteattr

from aiohttp import web

from node.canonical import canonical_url
from node.errors import BadInput, NotFound
from node.flows import public
from node.flows.node import Node
from node.flows.public import Popularity
from node.ids import ThingId
from node.web import problems, reading
from node.web.embed.badge import HEIGHT, badge_width
from node.web.embed.counters import FOR_ALL_SITES, FRESH_S
from node.web.keys import DESK
from node.web.problems import WrongFormat

ASKED: Final = frozenset({"url", "format", "maxwidth", "maxheight"})
PIXELS_DIGITS_MAX: Final = 6
_THING_PAGE: Final = "/things/"
_WINDOW: Final = "/click"


async def serve_oembed(request: web.Request) -> web.Response:
    """The answer as JSON. XML is refused with 501, as the specification has it."""
    desk = request.app[DESK]
    network = desk.node.settings.network
    try:
        desk.limits.count(desk.limits.address_of(request))
        asked = _asked(request)
        url, found = await _find(desk.node, asked.get("url", ""))
        room = _pixels(asked.get("maxwidth")), _pixels(asked.get("maxheight"))
        body = json.dumps(_told(desk.node.settings.web.public_url, url, found, room))
    except Exception as error:  # noqa: BLE001  every error is told in one place
        return problems.answer(problems.tell(error), network, dict(FOR_ALL_SITES))
    headers = {
        "Cache-Control": f"public, max-age={FRESH_S}",
        "Flattr-Network": network,
        **FOR_ALL_SITES,
    }
    return web.Response(body=body.encode(), headers=headers, content_type="application/json")


def badge_html(public_url: str, url: str, title: str) -> str:
    """A badge that is a link to the window, as HTML: no script, no cookie."""
    window = f"{public_url}{_WINDOW}?{urlencode({'url': url})}"
    picture = f"{public_url}/badge.svg?{urlencode({'url': url})}"
    words = f"Flattr {title or url}"
    return (
        f'<a href={quoteattr(window)} rel="payment" title={quoteattr(words)}>'
        f'<img src={quoteattr(picture)} height="{HEIGHT}" alt={quoteattr(words)}></a>'
    )


def _asked(request: web.Request) -> Mapping[str, str]:
    asked = reading.query(request, ASKED)
    if asked.get("format", "json") != "json":
        raise WrongFormat("oEmbed is answered as JSON: leave `format` out")
    return asked


async def _find(node: Node, text: str) -> tuple[str, Popularity | None]:
    """(canonical URL, its counters if there is such a thing). Raises BadInput, BadUrl, NotFound."""
    if not text:
        raise BadInput("say which page: ?url=https://…")
    here = node.settings.web.public_url
    if text.startswith(f"{here}{_THING_PAGE}"):
        number = reading.row_id(urlsplit(text).path.removeprefix(_THING_PAGE))
        found = await public.popularity(node.store, node.clock, ThingId(number))
        return found.thing.url, found
    if text.startswith(f"{here}{_WINDOW}?"):
        text = parse_qs(urlsplit(text).query).get("url", [""])[0]
    url = canonical_url(text)
    try:
        return url, await public.popularity_of_url(node.store, node.clock, url)
    except NotFound:
        return url, None


def _told(
    here: str, url: str, found: Popularity | None, room: tuple[int | None, int | None]
) -> dict[str, Any]:
    title = found.thing.title if found else ""
    width = badge_width(found.flattrs if found else 0)
    told = {
        "version": "1.0",
        "title": title or url,
        "provider_name": "flattr-node",
        "provider_url": f"{here}/",
        "cache_age": FRESH_S,
    }
    if (room[0] or width) < width or (room[1] or HEIGHT) < HEIGHT:
        return {"type": "link", **told}
    html = badge_html(here, url, title)
    return {"type": "rich", **told, "html": html, "width": width, "height": HEIGHT}


def _pixels(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= PIXELS_DIGITS_MAX and int(text)):
        raise BadInput("maxwidth and maxheight are whole numbers of pixels")
    return int(text)
