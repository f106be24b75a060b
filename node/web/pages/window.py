"""The click window, which a button on another site opens: GET shows, POST does.

    GET   /click?url=&title=     the thing, and what a click on it is worth; changes nothing
    POST  /click                 flattr, undo, subscribe, …; shows the same window again

A POST answers with the page itself and sends nowhere: what it did is told to the page that opened
the window, and a GET, which anybody can cause, must have nothing to tell.

The window alone has `Cross-Origin-Opener-Policy: unsafe-none`, or it would lose the page that
opened it. Why that is safe, and when a window flattrs by itself, is in
docs/decisions/0015-the-click-window.md.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from node.canonical import canonical_url
from node.errors import BadInput, Rejected
from node.flows import consents, window
from node.flows.subscribe import LENGTHS
from node.flows.window import Seen
from node.web.pages import forms, refusals
from node.web.pages.active import demand_active
from node.web.pages.formats import filters
from node.web.pages.page import Page, PageCall
from node.web.pages.render import render

PATH: Final = "/click"
TITLE_CHARS_MAX: Final = 1000
_MONTHS: Final = {str(months): months for months in LENGTHS}
_PRESSED: Final = {
    "Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-User": "?1",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Window:
    """What the template shows."""

    seen: Seen
    asked: str
    """The URL as the button wrote it, by which its page knows the button again."""
    title: str
    here: str
    left: str
    refused: str = ""
    told: str = ""
    """JSON for the page that opened the window; empty: nothing was done."""
    at_once: bool = False
    leaves: bool = False


async def show(call: PageCall) -> web.Response:
    """GET /click?url=: look, and nothing else."""
    asked, title = call.asked("url"), call.asked("title")[:TITLE_CHARS_MAX]
    seen = await _look(call, asked, title)
    return _shown(call, seen, asked, title, at_once=_goes_at_once(call, seen))


async def send(call: PageCall) -> web.Response:
    """POST /click: do it."""
    asked, title = call.field("url"), call.field("title")[:TITLE_CHARS_MAX]
    if call.session is None:
        seen = await _look(call, asked, title)
        words = call.gettext("You are signed out. Sign in, and click again.")
        return _shown(call, seen, asked, title, words, status=HTTPStatus.UNAUTHORIZED)
    refused, status = "", HTTPStatus.OK
    try:
        await demand_active(call)
        await _do(call, canonical_url(asked), title)
    except Rejected as error:
        refused, status = refusals.sentence(error), HTTPStatus(error.status)
    seen = await _look(call, asked, title)
    at_once = bool(call.field("at_once")) and not refused
    return _shown(call, seen, asked, title, refused, status=status, done=True, leaves=at_once)


async def _do(call: PageCall, url: str, title: str) -> None:
    """What the form asks for. Raises Rejected."""
    node, member, does = call.node, call.member, call.field("do")
    if does == "flattr":
        await window.flattr(node, member, url, title)
    elif does == "undo":
        await window.undo(node, member, url)
    elif does == "subscribe":
        months = _MONTHS.get(call.field("months"), 0)
        await window.repeat(node, member, url, title, months)
    elif does == "unsubscribe":
        await window.repeat_no_more(node, member, url)
    elif does == "ask":
        await consents.take_back(node.store, member, consents.origin_of(url))
    elif does != "always":
        raise BadInput("the window has no such button: open it again")
    if does == "always" or (does == "flattr" and call.field("always")):
        await consents.give(node.store, node.clock, member, url)


async def _look(call: PageCall, asked: str, title: str) -> Seen:
    """Raises BadInput, BadUrl."""
    if not asked:
        raise BadInput("the link names no page: it ends with ?url=https://…")
    member = None if call.session is None else call.session.member
    return await window.look(call.node, canonical_url(asked), title, member)


def _goes_at_once(call: PageCall, seen: Seen) -> bool:
    """Whether the window may send its form by itself.

    The member has agreed to it for this site, and this is a page of that site's answer to a
    person's press: a browser says each of it in a header that no page can write.
    """
    mine, headers = seen.mine, call.request.headers
    if mine is None or not mine.one_click or mine.flattred or mine.owns:
        return False
    if "Sec-Purpose" in headers or "Purpose" in headers:
        return False
    came_from = urlsplit(headers.get("Referer", ""))
    if f"{came_from.scheme}://{came_from.netloc}" != seen.origin:
        return False
    return all(headers.get(name) == value for name, value in _PRESSED.items())


def _shown(
    call: PageCall,
    seen: Seen,
    asked: str,
    title: str,
    refused: str = "",
    *,
    status: HTTPStatus = HTTPStatus.OK,
    done: bool = False,
    at_once: bool = False,
    leaves: bool = False,
) -> web.Response:
    told = ""
    if done and seen.mine is not None:
        words = {"type": "flattr", "url": asked, "flattrs": seen.flattrs}
        told = json.dumps({**words, "flattred": seen.mine.flattred})
    shown = Window(
        seen=seen, asked=asked, title=title, refused=refused, told=told, at_once=at_once,
        leaves=leaves, here=_path(asked, title),
        left=filters(call.language)["duration"](seen.seconds_left),
    )  # fmt: skip
    response = render(call, "window/window.html", status=status, window=shown)
    response.headers["Cross-Origin-Opener-Policy"] = "unsafe-none"
    return response


def _path(asked: str, title: str) -> str:
    """The window's own path, to come back to; without its title if that makes it too long."""
    whole = f"{PATH}?{urlencode({'url': asked, 'title': title})}"
    return forms.local_path(whole, f"{PATH}?{urlencode({'url': asked})}")


PAGES: Final = (
    Page("GET", PATH, "the window that a button opens", show, "anyone", query=("url", "title")),
    Page("POST", PATH, "flattr, undo, subscribe", send, "anyone",
         fields=("url", "title", "do", "months", "always", "at_once")),
)  # fmt: skip
