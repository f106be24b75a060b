"""How the demo's people come into the node's pages: a link for each, which signs its browser in.

A node in use has no such links; people sign in with their wallets (`wallet_site.py` has those of
the demo). The secret in a link is as good as the wallet for as long as the demo runs.
"""

from __future__ import annotations

import secrets
from typing import Final

from aiohttp import web

from node.flows.node import Node
from node.flows.sessions import open_session
from node.ids import MemberId
from node.web.keys import DESK
from node.web.pages import headers
from node.web.pages.browser import Browser

PATH: Final = "/demo"
_SEE_OTHER: Final = 303


class Doors:
    """A secret path for each person. Nobody has one before `open`."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[MemberId, str]] = {}

    @property
    def route(self) -> web.RouteDef:
        """For `open_server`."""
        return web.get(f"{PATH}/{{secret}}", self._enter)

    def open(self, member: MemberId, to: str) -> str:
        """A path by which this member comes in, at the page `to`."""
        secret = secrets.token_urlsafe(16)
        self._known[secret] = (member, to)
        return f"{PATH}/{secret}"

    async def _enter(self, request: web.Request) -> web.Response:
        found = self._known.get(request.match_info["secret"])
        if found is None:
            raise web.HTTPNotFound(text="this link is of another demo: take the one printed last")
        member, to = found
        desk = request.app[DESK]
        browser = Browser(request, desk.node.settings)
        browser.sign_in(await _signed_in(desk.node, member, request, browser))
        response = web.Response(status=_SEE_OTHER, headers={"Location": to})
        browser.stamp(response)
        headers.add(response, desk)
        return response


async def _signed_in(node: Node, member: MemberId, request: web.Request, browser: Browser) -> str:
    agent = request.headers.get("User-Agent", "")
    new = await open_session(node.store, node.clock, member, agent, replaces=browser.secret or None)
    return new.secret
