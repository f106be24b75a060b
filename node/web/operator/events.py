"""GET /events: how a close and the payouts go on, as server-sent events, while somebody looks.

One event at once, then one whenever something has changed; the browser comes back by itself when
the stream ends after STREAM_S. Each event is the words that the page shows, by the id of the place.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Final

from aiohttp import web
from aiohttp_sse import EventSourceResponse

from node.flows.operator import access
from node.flows.operator.progress import Progress, progress
from node.web.operator.page import OperatorCall, OperatorPage
from node.web.operator.words import stage_words
from node.web.pages import formats

LOOK_EVERY_S: Final = 1.0
STREAM_S: Final = 600.0


async def stream(call: OperatorCall) -> web.StreamResponse:
    """The stream."""
    told, ending = "", call.console.ending
    loop = asyncio.get_running_loop()
    until_s = loop.time() + STREAM_S
    response = EventSourceResponse(headers={"Cache-Control": "no-store"})
    with suppress(ConnectionResetError):  # the browser has gone
        await response.prepare(call.request)
        async with response:
            while loop.time() < until_s and await _goes_on(call, response):
                words = json.dumps(words_of(call, await progress(call.node)))
                if words != told:
                    told = words
                    await response.send(words)
                await _pause(ending)
    return response


def words_of(call: OperatorCall, seen: Progress) -> dict[str, str]:
    """What to write where: ids of the first page, and the words for each."""
    number = formats.filters(call.language)["number"]
    words = {
        f"payouts-{asset}-{state}": number(count) for (asset, state), count in seen.payouts.items()
    }
    stages = stage_words(call.language)
    for close in seen.closes:
        words[f"stage-{close.asset}-{close.month}"] = stages[close.stage]
    words["sending"] = "; ".join(dict.fromkeys(seen.stopped.values()))
    return words


async def _goes_on(call: OperatorCall, response: EventSourceResponse) -> bool:
    """Whether there is still somebody who may look."""
    if call.console.ending.is_set() or not response.is_connected():
        return False
    node, secret = call.node, call.browser.secret
    return await access.find_session(node.store, node.clock, secret, by_hand=False) is not None


async def _pause(ending: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(LOOK_EVERY_S):
            await ending.wait()
    except TimeoutError:
        return


PAGES: Final = (
    OperatorPage("GET", "/events", "how closes and payouts go on", stream, by_hand=False),
)
