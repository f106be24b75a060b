"""GET /public/months/{month}/stablecoin: a sealed month, byte for byte as its hash was sealed.

Its ETag is the sha256 of the bytes: the `data_hash` that the vault has of that month. Anybody can
compare the two.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web

from node.flows import public
from node.month import Month
from node.web import problems, reading
from node.web.keys import DESK

FRESH_S: Final = 3600


async def serve_month_file(request: web.Request) -> web.Response:
    """The file: 200 with an ETag, or 304."""
    desk = request.app[DESK]
    network = desk.node.settings.network
    try:
        desk.limits.count(desk.limits.address_of(request))
        reading.query(request, ())
        month = Month.parse(request.match_info["month"])
        content, hashed = await public.month_file(desk.node, month)
    except Exception as error:  # noqa: BLE001  every error is told in one place
        return problems.answer(problems.tell(error), network)
    tag = f'"{hashed}"'
    headers = {
        "ETag": tag,
        "Cache-Control": f"public, max-age={FRESH_S}",
        "Access-Control-Allow-Origin": "*",
        "Flattr-Network": network,
    }
    if reading.has_already(request, tag):
        return web.Response(status=reading.NOT_MODIFIED, headers=headers)
    return web.Response(body=content, headers={**headers, "Content-Type": "application/json"})
