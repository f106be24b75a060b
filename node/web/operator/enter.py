"""Ways into the console: a one-time link, a passkey; and the page where both are looked after."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from node.clock import now_s
from node.errors import NotFound
from node.flows.operator import access, passkeys
from node.ids import derive
from node.store.operator_access import Passkey
from node.web.operator.page import ANSWER, OperatorCall, OperatorPage
from node.web.pages import forms, language

YEAR_S: Final = 31_536_000
REMOVE: Final = "remove passkey {passkey}"
ADD: Final = "add a passkey"


async def show_sign_in(call: OperatorCall) -> web.Response:
    """GET /sign-in: by passkey; what to do without one."""
    node = call.node
    known = await passkeys.passkeys(node.store)
    asked = ""
    if known:
        asked = await passkeys.ask_to_sign_in(
            node.store, node.clock, call.console.site, call.browser.visitor
        )
    onward = forms.local_path(call.asked("next"))
    return call.render("sign_in.html", asked=asked, onward=onward)


async def sign_in(call: OperatorCall) -> web.Response:
    """POST /sign-in: the passkey's answer."""
    node, onward = call.node, forms.local_path(call.field("next"))
    new = await passkeys.sign_in(
        node.store, node.clock, call.console.site, call.browser.visitor, call.field(ANSWER),
        call.request.headers.get("User-Agent", ""),
    )  # fmt: skip
    call.browser.sign_in(new.secret)
    return call.to(onward)


async def show_link(call: OperatorCall) -> web.Response:
    """GET /link/{secret}: a button, so that nothing that only looks at the link uses it up."""
    return call.render("link.html", secret=call.request.match_info["secret"])


async def use_link(call: OperatorCall) -> web.Response:
    """POST /link: sign in by it."""
    node = call.node
    agent = call.request.headers.get("User-Agent", "")
    new = await access.use_link(node.store, node.clock, call.field("secret"), agent)
    call.browser.sign_in(new.secret)
    if await access.needs_link(node.store):
        return call.to("/access", said=call.gettext("Welcome. Add a passkey for the next time."))
    return call.to("/")


async def sign_out(call: OperatorCall) -> web.Response:
    """POST /sign-out."""
    await access.end_session(call.node.store, call.node.clock, call.actor, call.operator.id)
    call.browser.sign_out()
    return call.to("/sign-in", said=call.gettext("You are signed out."))


async def show_access(call: OperatorCall) -> web.Response:
    """GET /access: passkeys and sessions."""
    node = call.node
    known = await passkeys.passkeys(node.store)
    confirm = await call.ask(ADD)
    may_add, asked = bool(known) or not confirm, ""
    if may_add:
        asked = await passkeys.ask_to_register(
            node.store, node.clock, call.console.site, call.operator
        )
    return call.render(
        "access.html", passkeys=[(_short(one), one) for one in known], asked=asked,
        confirm=confirm, may_add=may_add, site=call.console.site, mine=call.operator.id,
        sessions=await access.sessions(node.store, node.clock), now_s=now_s(node.clock),
    )  # fmt: skip


async def add_passkey(call: OperatorCall) -> web.Response:
    """POST /access/passkeys: the answer of the new one, after one that is known has agreed."""
    node = call.node
    await passkeys.register(
        node.store, node.clock, call.console.site, call.operator, call.field("made"),
        call.field("name"),
    )  # fmt: skip
    return call.to("/access", said=call.gettext("The passkey is added."))


async def show_removal(call: OperatorCall) -> web.Response:
    """GET /access/passkeys/{passkey}: the form that removes it."""
    passkey = await _passkey(call)
    asked = await call.ask(REMOVE.format(passkey=_short(passkey)))
    return call.render("remove_passkey.html", passkey=passkey, short=_short(passkey), asked=asked)


async def remove_passkey(call: OperatorCall) -> web.Response:
    """POST /access/passkeys/{passkey}/remove."""
    passkey = await _passkey(call)
    await access.end_passkey(call.node.store, call.node.clock, call.actor, passkey.id)
    return call.to("/access", said=call.gettext("The passkey is removed."))


async def end_session(call: OperatorCall) -> web.Response:
    """POST /access/sessions: end one of the sessions."""
    node = call.node
    await access.end_session(node.store, node.clock, call.actor, call.field("session"))
    return call.to("/access", said=call.gettext("The session is ended."))


async def choose_language(call: OperatorCall) -> web.Response:
    """POST /language: speak it from now on."""
    if call.field("language") in language.NAMES:
        call.browser.keep(language.COOKIE, call.field("language"), YEAR_S)
    return call.to(forms.local_path(call.field("here")))


async def serve_file(call: OperatorCall) -> web.Response:
    """GET /static/…: a file of the pages."""
    return call.desk.files.answer(call.request)


async def _passkey(call: OperatorCall) -> Passkey:
    """The passkey in the path. Raises NotFound."""
    wanted = call.name("passkey")
    for one in await passkeys.passkeys(call.node.store):
        if _short(one) == wanted:
            return one
    raise NotFound("there is no such passkey, or it was removed")


def _short(passkey: Passkey) -> str:
    """A name of a passkey that fits into a path: its id has letters that do not."""
    return derive("passkey", passkey.id)


PAGES: Final = (
    OperatorPage("GET", "/sign-in", "sign in by a passkey", show_sign_in, "anyone",
                 query=("next",)),
    OperatorPage("POST", "/sign-in", "the passkey's answer", sign_in, "anyone",
                 fields=(ANSWER, "next"), back="/sign-in"),
    OperatorPage("GET", "/link/{secret}", "what a one-time link opens", show_link, "anyone"),
    OperatorPage("POST", "/link", "sign in by a one-time link", use_link, "anyone",
                 fields=("secret",), back="/sign-in"),
    OperatorPage("POST", "/sign-out", "sign out", sign_out),
    OperatorPage("GET", "/access", "passkeys and sessions", show_access),
    OperatorPage("POST", "/access/passkeys", "add a passkey", add_passkey,
                 fields=(ANSWER, "made", "name"), back="/access", act=ADD),
    OperatorPage("GET", "/access/passkeys/{passkey}", "one passkey", show_removal),
    OperatorPage("POST", "/access/passkeys/{passkey}/remove", "remove it", remove_passkey,
                 fields=(ANSWER,), back="/access", act=REMOVE),
    OperatorPage("POST", "/access/sessions", "end a session", end_session, fields=("session",),
                 back="/access"),
    OperatorPage("POST", "/language", "speak this language", choose_language, "anyone",
                 fields=("language", "here"), token=False),
    OperatorPage("GET", "/static/{digest}/{name}", "a style, a script or a picture", serve_file,
                 "anyone"),
)  # fmt: skip
