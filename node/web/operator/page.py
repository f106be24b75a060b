"""One page of the console: its row in the table, and the way of a request through it.

    host ▶ count ▶ session ▶ form: own origin, own token, known fields ▶ passkey ▶ handler ▶ headers
    403     429    /sign-in          403          403         400         403

It is `web/pages/page.py` for one person. A page with an `act` does something that must not be done
by who only found the browser open: its form brings the passkey's answer in the field `answer`. The
page with that form has its question by `call.ask(act)`, and the act's name is in what is signed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import quote

from aiohttp import web

from node.errors import Forbidden, Rejected, Unauthorized
from node.flows.operator import access, passkeys
from node.money import Amount
from node.store.operator_access import OperatorSession
from node.web import problems
from node.web.endpoint import RawHandler
from node.web.operator.console import (
    CONSOLE,
    Console,
    ConsoleBrowser,
    demand_own_origin,
    right_place,
)
from node.web.operator.words import stage_words
from node.web.pages import forms, headers
from node.web.pages.browser import Kind
from node.web.pages.language import Language
from node.web.pages.refusals import sentence
from node.web.pages.templates import frame_of
from node.web.visit import Visit, back_to

ANSWER: Final = "answer"
Who: TypeAlias = Literal["anyone", "operator"]


@dataclass(frozen=True, slots=True)
class OperatorPage:
    """One URL and method of the console."""

    method: Literal["GET", "POST"]
    path: str
    words: str
    handler: OperatorHandler
    who: Who = "operator"
    fields: tuple[str, ...] = ()
    query: tuple[str, ...] = ()
    back: str = "/"
    """Where a refusal of a POST is told. A path, which may have the parameters of `path`."""
    act: str = ""
    """What a passkey must confirm, with the parameters of `path`; empty: nothing."""
    token: bool = True
    by_hand: bool = True
    """False: pages ask for it by themselves, which is no use of the session."""


@dataclass(frozen=True, slots=True)
class OperatorCall(Visit):
    """One request for a page of the console that may go on."""

    console: Console
    page: OperatorPage
    browser: ConsoleBrowser
    language: Language
    session: OperatorSession | None
    form: Mapping[str, str]
    simulated: bool

    @property
    def operator(self) -> OperatorSession:
        """The session of who asks."""
        assert self.session is not None, "the page is for the operator"
        return self.session

    @property
    def actor(self) -> str:
        """Who is named in the log."""
        return self.operator.actor

    def field(self, name: str) -> str:
        """What the form sent under this name, without space around it; empty: nothing."""
        assert name in self.page.fields, f"{self.page.path} has no field {name}"
        return self.form.get(name, "").strip()

    def asked(self, name: str) -> str:
        """A parameter of the query; empty: none."""
        assert name in self.page.query, f"{self.page.path} has no parameter {name}"
        return self.request.query.get(name, "")

    def gettext(self, message: str) -> str:
        """In the language of who asks."""
        return self.language.gettext(message)

    async def ask(self, act: str) -> str:
        """The question to a passkey about one act, as JSON; empty: it need not be asked."""
        node = self.node
        asked = await passkeys.ask_to_confirm(
            node.store, node.clock, self.console.site, self.operator, act
        )
        return asked or ""

    def render(self, template: str, /, **values: Any) -> web.Response:
        """A page: this template of `operator/`, with these values."""
        return _fill(self, f"operator/{template}", values)

    def to(self, path: str, *, said: str = "", kind: Kind = "done") -> web.Response:
        """Send the browser to a page of the console, with a message there."""
        if said:
            self.browser.say(kind, said)
        return _to(path)


OperatorHandler: TypeAlias = Callable[[OperatorCall], Awaitable[web.StreamResponse]]


def bind(page: OperatorPage) -> RawHandler:
    """The aiohttp handler of a page."""

    async def handle(request: web.Request) -> web.StreamResponse:
        console = request.app[CONSOLE]
        desk = console.desk
        browser = ConsoleBrowser(request, desk.node.settings, console.url)
        try:
            elsewhere = right_place(console, request)
            desk.limits.count(desk.limits.address_of(request))
            response = elsewhere or await _visit(console, request, page, browser)
        except Exception as error:  # noqa: BLE001  every error is told in one place
            response = await show_error(console, request, browser, error)
        if not response.prepared:  # a stream of events has sent its headers
            browser.stamp(response)
            headers.add(response, desk)
        return response

    return handle


async def show_error(
    console: Console, request: web.Request, browser: ConsoleBrowser, error: Exception
) -> web.Response:
    """The page of an error."""
    desk, told = console.desk, problems.tell(error)
    spoken = desk.templates.language_of(request, browser)
    frame = frame_of(request, browser, spoken, await desk.lightning.is_simulated())
    detail = told.detail[:1].upper() + told.detail[1:]
    values = {"status": told.problem.status, "title": told.problem.title, "detail": detail}
    text = desk.templates.fill("operator/error.html", spoken, frame, values)
    return web.Response(text=text, content_type="text/html", status=told.problem.status)


async def _visit(
    console: Console, request: web.Request, page: OperatorPage, browser: ConsoleBrowser
) -> web.StreamResponse:
    desk, node, session = console.desk, console.node, None
    if browser.secret:
        session = await access.find_session(
            node.store, node.clock, browser.secret, by_hand=page.by_hand
        )
        if session is None:
            browser.sign_out()
    form: Mapping[str, str] = {}
    if page.method == "POST":
        demand_own_origin(console, request)
        form = await forms.read(desk, request, page.fields)
        if page.token and not browser.has_made(form.get(forms.TOKEN, "")):
            raise Forbidden("this form is too old: go back, reload the page, and send it again")
    if page.who == "operator" and session is None:
        if page.method == "POST":
            raise Unauthorized("you are not signed in any more: sign in, then send this again")
        return _to("/sign-in?next=" + quote(request.rel_url.raw_path_qs, safe=""))
    language = desk.templates.language_of(request, browser)
    simulated = await desk.lightning.is_simulated()
    call = OperatorCall(desk, request, console, page, browser, language, session, form, simulated)
    return await _answer(call)


async def _answer(call: OperatorCall) -> web.StreamResponse:
    page, named = call.page, dict(call.request.match_info)
    try:
        if page.act:
            await passkeys.confirm(
                call.node.store, call.node.clock, call.console.site, call.operator,
                page.act.format_map(named), call.field(ANSWER),
            )  # fmt: skip
        return await page.handler(call)
    except Rejected as error:
        if page.method != "POST":
            raise
        call.browser.say("error", sentence(error))
        return _to(back_to(page.back, call.request))


def _fill(call: OperatorCall, name: str, values: dict[str, Any]) -> web.Response:
    frame = frame_of(call.request, call.browser, call.language, call.simulated)
    known = {"amount": Amount, "stage_words": stage_words(call.language)}
    text = call.desk.templates.fill(name, call.language, frame, {**known, **values})
    return web.Response(text=text, content_type="text/html")


def _to(path: str) -> web.Response:
    return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": path})
