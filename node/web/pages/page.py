"""One page: its row in the table, and the way of a request through it.

    count ▶ session ▶ who ▶ form: own origin, own token, known fields ▶ handler ▶ cookies, headers
     429               sign in      403          403         400

How to add pages. Write handlers in a module of their own, with its rows:

    PAGES: Final = (
        Page("GET", "/withdraw", "take money out", show, "member"),
        Page("POST", "/withdraw", "the same, sent", send, "member", fields=("target", "amount")),
    )

and add the module's PAGES to the list in `table.py`, which is the only place that is to be changed.
A handler is `async def (call: PageCall) -> web.StreamResponse`. It calls one flow and answers:

    return render(call, "reader/withdraw.html", balance=mine)                       render.py
    return redirect(call, "/withdraw", said=call.gettext("It is on its way."))

- `who`: "anyone"; "member": signed in, or sent to /sign-in and back; "fresh": signed in within the
  last ten minutes, or sent to sign in again. `call.member` is who it is.
- `fields` are the names that the form of a POST may send; `call.field("target")` is what it sent,
  or "". Each `<form method="post">` holds `{{ page.token_field }}`, without which it is refused;
  `token=False` is for what may be sent by a page of a foreign cache. `query` is the same for GET.
- `back`: where a refusal by the handler (4xx) of a POST is told, as a message above the form.
  Without it, or for other errors, there is a page of its own. A handler that keeps what was typed
  catches Rejected, and renders the form again with `status=`.
- What a template knows without being handed it: `page` (`templates.Frame`), `network`, `simulated`,
  `static("name.css")`; the filters of `formats.py` and `pictures.py`: `{{ amount|sat }}`,
  `{{ at_s|date }}`, `{{ month|month }}`, `{{ text|qr }}`; `{% trans %}` and `_()`. In Python the
  words are `call.gettext("…")` and `call.ngettext(…)`.
- A form that moves money holds `{{ page.once_field }}` and has the field `once`: hand it to the
  flow as its key, and a form that is sent twice does its work once.
- `events.flip` makes a page that flips by itself, and `<div data-events="/…/events">` waits for it.
- A page never changes anything by GET. Ids in paths are read by `call.row_id`, `call.name`,
  `call.month`; whose they are is asked of the flow, with `call.member`.
- A handler may set a header that it needs otherwise than all have it (`headers.py`): it wins.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Literal, TypeAlias
from urllib.parse import urlencode

from aiohttp import web

from node.errors import BadInput, Forbidden, Rejected, Unauthorized
from node.flows import sessions
from node.ids import MemberId
from node.store.sessions import Session
from node.web.endpoint import RawHandler
from node.web.keys import DESK, Desk
from node.web.pages import forms, headers, refusals
from node.web.pages.browser import Browser
from node.web.pages.language import Language
from node.web.visit import Visit, back_to

Who: TypeAlias = Literal["anyone", "member", "fresh"]
ONCE: Final = re.compile(r"[A-Za-z0-9_-]{16,64}", re.ASCII)
_TOLD_ON_THE_FORM: Final = range(400, 500)


@dataclass(frozen=True, slots=True)
class Page:
    """One URL and method of the pages."""

    method: Literal["GET", "POST"]
    path: str
    words: str
    handler: PageHandler
    who: Who = "member"
    fields: tuple[str, ...] = ()
    query: tuple[str, ...] = ()
    back: str = ""
    """A path, which may have the parameters of `path`."""
    token: bool = True


@dataclass(frozen=True, slots=True)
class PageCall(Visit):
    """One request for a page that may go on."""

    page: Page
    browser: Browser
    language: Language
    session: Session | None
    form: Mapping[str, str]
    simulated: bool

    @property
    def member(self) -> MemberId:
        """Who asks."""
        assert self.session is not None, "the page is for members"
        return self.session.member

    @property
    def here(self) -> str:
        """Path and query of this request."""
        return self.request.rel_url.raw_path_qs

    def field(self, name: str) -> str:
        """What the form sent under this name, without space around it; empty: nothing."""
        assert name in self.page.fields, f"{self.page.path} has no field {name}"
        return self.form.get(name, "").strip()

    def once(self) -> str:
        """The key of the form that was sent: the same for each time that it is. Raises BadInput."""
        key = self.field("once")
        if not ONCE.fullmatch(key):
            raise BadInput("this form is not complete: go back, reload the page, and send it again")
        return key

    def asked(self, name: str) -> str:
        """A parameter of the query; empty: none."""
        assert name in self.page.query, f"{self.page.path} has no parameter {name}"
        return self.request.query.get(name, "")

    def gettext(self, message: str) -> str:
        """In the language of who asks."""
        return self.language.gettext(message)

    def ngettext(self, one: str, many: str, number: int) -> str:
        """The same for a number of something."""
        return self.language.ngettext(one, many, number)

    def is_fresh(self) -> bool:
        """Whether the sign-in was just now."""
        return sessions.is_fresh(self.node.clock, self.session)


PageHandler: TypeAlias = Callable[[PageCall], Awaitable[web.StreamResponse]]


def bind(page: Page) -> RawHandler:
    """The aiohttp handler of a page."""

    async def handle(request: web.Request) -> web.StreamResponse:
        desk = request.app[DESK]
        browser = Browser(request, desk.node.settings)
        try:
            desk.limits.count(desk.limits.address_of(request))
            call = await _visit(desk, request, page, browser)
            response = await _answer(call)
        except Exception as error:  # noqa: BLE001  every error is told in one place
            response = await refusals.show(desk, request, browser, error)
        if not response.prepared:  # a stream of events has sent its headers
            if "public" not in response.headers.get("Cache-Control", ""):  # it goes to others, too
                browser.stamp(response)
            headers.add(response, desk)
        return response

    return handle


async def _visit(desk: Desk, request: web.Request, page: Page, browser: Browser) -> PageCall:
    node, session = desk.node, None
    if browser.secret:
        session = await sessions.find_session(node.store, node.clock, browser.secret)
        if session is None:
            browser.sign_out()
        else:
            await sessions.touch(node.store, node.clock, session)
    language = desk.templates.language_of(request, browser)
    form: Mapping[str, str] = {}
    if page.method == "POST":
        forms.demand_own_origin(desk, request)
        form = await forms.read(desk, request, page.fields)
        if page.token and not browser.has_made(form.get(forms.TOKEN, "")):
            raise Forbidden(
                "this form is too old, or was not made for this browser: go back, reload the page,"
                " and send it again"
            )
    simulated = await desk.lightning.is_simulated()
    return PageCall(desk, request, page, browser, language, session, form, simulated)


async def _answer(call: PageCall) -> web.StreamResponse:
    if (sign_in := _sign_in_first(call)) is not None:
        return sign_in
    try:
        return await call.page.handler(call)
    except Rejected as error:
        page = call.page
        if not page.back or page.method != "POST" or error.status not in _TOLD_ON_THE_FORM:
            raise
        call.browser.say("error", refusals.sentence(error))
        return _to(back_to(page.back, call.request))


def _sign_in_first(call: PageCall) -> web.Response | None:
    """Where to, for who may not be here yet. Raises Unauthorized to a form that was sent."""
    page = call.page
    known = page.who == "anyone" or call.session is not None
    if known and (page.who != "fresh" or call.is_fresh()):
        return None
    asked = {"again": "1"} if known else {}
    if page.method == "POST" and not page.back:
        raise Unauthorized("sign in first, then send this again")
    back = back_to(page.back, call.request) if page.back else call.here
    return _to("/sign-in?" + urlencode({"next": back, **asked}))


def _to(path: str) -> web.Response:
    return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": path})
