"""A page that flips by itself: a stream of server-sent events that says one word and ends.

    look ── nothing yet ──▶ wait: until woken, or for LOOK_EVERY_S ──▶ look
      └──── something ────▶ event `changed` ──▶ the page loads anew (static/flips.js)

Who credits in this process wakes the page at once; what other processes do is seen at the next
look. A stream ends after STREAM_S, and with the server: the browser asks again by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from aiohttp import web
from aiohttp_sse import EventSourceResponse

from node.web.pages import headers
from node.web.pages.page import PageCall

LOOK_EVERY_S: Final = 0.8
STREAM_S: Final = 600


async def flip(
    call: PageCall, wake: asyncio.Event, look: Callable[[], Awaitable[str]]
) -> web.StreamResponse:
    """Stream until `look` says something (not empty), which is sent as the event's words."""
    streams = call.desk.streams
    stream = EventSourceResponse(headers=headers.of_all(call.desk))
    with streams.enter(wake), suppress(ConnectionResetError):  # the page was closed
        await stream.prepare(call.request)
        async with stream:
            for _ in range(int(STREAM_S / LOOK_EVERY_S)):
                wake.clear()
                if said := await look():
                    await stream.send(said, event="changed")
                    break
                if streams.ending or not stream.is_connected():
                    break
                with suppress(TimeoutError):
                    await asyncio.wait_for(wake.wait(), LOOK_EVERY_S)
    return stream
