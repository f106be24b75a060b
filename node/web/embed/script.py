"""GET /button.js: the script of the button, for other sites' pages.

It is what lies in `static/button.js`, which people can read: nothing is built. Its ETag is of its
hash, which is also what a site that wants to pin it writes as `integrity`.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from aiohttp import web

from node.web import problems, reading
from node.web.embed.counters import FOR_ALL_SITES
from node.web.keys import DESK

FRESH_S: Final = 3600
NAME: Final = "button.js"


@dataclass(frozen=True, slots=True)
class Script:
    """The script, plain and gzipped. `integrity` as HTML has it."""

    plain: bytes
    packed: bytes
    integrity: str


@cache
def read_script() -> Script:
    """The script, read once."""
    plain = files("node.web").joinpath("static", NAME).read_bytes()
    digest = base64.b64encode(hashlib.sha384(plain).digest()).decode()
    return Script(plain, gzip.compress(plain, mtime=0), f"sha384-{digest}")


async def serve_script(request: web.Request) -> web.Response:
    """200 with an ETag, or 304; gzipped for who takes that."""
    desk = request.app[DESK]
    try:
        desk.limits.count(desk.limits.address_of(request))
        reading.query(request, {"v"})
    except Exception as error:  # noqa: BLE001  every error is told in one place
        return problems.answer(problems.tell(error), desk.node.settings.network)
    script = read_script()
    packed = "gzip" in request.headers.get("Accept-Encoding", "")
    tag = f'"{script.integrity[7:31]}{"-gzip" if packed else ""}"'
    headers = {
        "ETag": tag,
        "Cache-Control": f"public, max-age={FRESH_S}",
        "Content-Type": "text/javascript; charset=utf-8",
        "Vary": "Accept-Encoding",
        "Flattr-Network": desk.node.settings.network,
        **FOR_ALL_SITES,
    }
    if reading.has_already(request, tag):
        return web.Response(status=reading.NOT_MODIFIED, headers=headers)
    if packed:
        return web.Response(body=script.packed, headers={**headers, "Content-Encoding": "gzip"})
    return web.Response(body=script.plain, headers=headers)
