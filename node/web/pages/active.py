"""Pages that whoever is suspended may not use: those that flattr or claim.

Everything else stays: to see what is there, to take the own money out, to export, to leave.
"""

from __future__ import annotations

from functools import wraps

from aiohttp import web

from node.errors import Forbidden
from node.flows.look import member_of
from node.web.pages.page import PageCall, PageHandler
from node.web.session import SUSPENDED_WORDS


def active(handler: PageHandler) -> PageHandler:
    """The same handler, for who is not suspended. It raises Forbidden."""

    @wraps(handler)
    async def only_active(call: PageCall) -> web.StreamResponse:
        await demand_active(call)
        return await handler(call)

    return only_active


async def demand_active(call: PageCall) -> None:
    """Go on only if who is signed in is not suspended. Raises Forbidden."""
    if (await member_of(call.node.store, call.member)).suspended_us is not None:
        raise Forbidden(SUSPENDED_WORDS)
