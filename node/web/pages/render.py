"""The answers of a page's handler: a template filled in, or the way to another page."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from aiohttp import web

from node.web.pages.browser import Kind
from node.web.pages.page import PageCall
from node.web.pages.templates import frame_of, html


def render(call: PageCall, name: str, *, status: int = 200, **values: Any) -> web.Response:
    """A page: the template of this name with these values, in the language of who asks."""
    frame = frame_of(call.request, call.browser, call.language, call.simulated)
    text = call.desk.templates.fill(name, call.language, frame, values)
    return html(text, status)


def redirect(call: PageCall, path: str, *, said: str = "", kind: Kind = "done") -> web.Response:
    """Send the browser to a path of the node, by GET, with a message on the page there."""
    if said:
        call.browser.say(kind, said)
    return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": path})
