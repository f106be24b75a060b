"""Files that are sent while they are written: nothing waits in memory but the piece under way.

What goes wrong before the first piece is an answer like any other. Afterwards the connection is
broken off, so that half a file is never taken for a whole one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Final

import structlog
from aiohttp import web

STALLED_S: Final = 60
"""Who takes no piece for so long has gone."""
CSV: Final = "text/csv"
PLAIN: Final = "text/plain"
JSON: Final = "application/json"

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Download:
    """A file: what it is called, what it is, and its text, piece by piece."""

    name: str
    media: str
    pieces: AsyncIterator[str]


async def once(text: str) -> AsyncIterator[str]:
    """A file of one piece."""
    yield text


async def send(
    request: web.Request, download: Download, headers: Mapping[str, str]
) -> web.StreamResponse:
    """Send a file with these headers. Raises what its first piece raises."""
    first = await anext(download.pieces, "")
    response = web.StreamResponse(headers=headers)
    response.content_type, response.charset = download.media, "utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="{download.name}"'
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    try:
        await response.prepare(request)
        if request.method != "HEAD":
            await _write(response, first)
            async for piece in download.pieces:
                await _write(response, piece)
        await response.write_eof()
    except Exception as error:  # noqa: BLE001  the headers are gone: it can only be broken off
        if not isinstance(error, ConnectionResetError | TimeoutError):
            _log.exception("a download was broken off", file=download.name)
        if request.transport is not None:
            request.transport.abort()
    return response


async def _write(response: web.StreamResponse, piece: str) -> None:
    async with asyncio.timeout(STALLED_S):
        await response.write(piece.encode())
