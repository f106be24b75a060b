"""GET /submit/auto?user_id=&url=&title=…: the link that Flattr told sites to make.

It is sent on to the window, which asks; like every GET it flattrs nothing. Who earns is not what
`user_id` says but who has claimed the thing, so it is read and left, as are the old links' other
parameters.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from node.canonical import canonical_url
from node.errors import BadInput
from node.web import problems
from node.web.keys import DESK

FRESH_S: Final = 3600


async def redirect_old_link(request: web.Request) -> web.Response:
    """302 to the window of this URL."""
    desk = request.app[DESK]
    network = desk.node.settings.network
    try:
        desk.limits.count(desk.limits.address_of(request))
        asked = _asked(request)
    except Exception as error:  # noqa: BLE001  every error is told in one place
        return problems.answer(problems.tell(error), network)
    headers = {
        "Location": f"/click?{urlencode(asked)}",
        "Cache-Control": f"public, max-age={FRESH_S}",
        "Flattr-Network": network,
    }
    return web.Response(status=302, headers=headers)


def _asked(request: web.Request) -> dict[str, str]:
    """URL and title. Raises BadInput, BadUrl."""
    asked = {name: request.query[name] for name in ("url", "title") if name in request.query}
    if not asked.get("url"):
        raise BadInput("the link names no page: ?url=https://…")
    canonical_url(asked["url"])
    return asked
