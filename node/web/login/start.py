"""Where signing in begins: the choice of a wallet; signing in by a token; and signing out."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from node.errors import Rejected
from node.flows.sessions import end_session
from node.flows.sign_in.by_token import sign_in_by_token
from node.web.login import asked
from node.web.login.asked import START
from node.web.pages.page import Page, PageCall
from node.web.pages.render import redirect, render


async def show(call: PageCall) -> web.Response:
    """GET /sign-in."""
    return render(call, "login/sign_in.html", asked=await asked.read(call))


async def by_token(call: PageCall) -> web.Response:
    """POST /sign-in/token."""
    wanted = await asked.read(call)
    call.desk.limits.count_sign_in(call.address)
    agent = call.request.headers.get("User-Agent", "")
    try:
        new = await sign_in_by_token(
            call.node.store, call.node.clock, call.field("secret"), agent,
            call.browser.secret or None,
        )  # fmt: skip
    except Rejected as error:
        return asked.again(call, wanted, START, error)
    call.browser.sign_in(new.secret)
    return redirect(call, wanted.next)


async def ask_out(call: PageCall) -> web.Response:
    """GET /sign-out: a page with one button, since a link must not sign anybody out."""
    return render(call, "login/sign_out.html")


async def sign_out(call: PageCall) -> web.Response:
    """POST /sign-out."""
    if call.browser.secret:
        await end_session(call.node.store, call.browser.secret)
    call.browser.sign_out()
    return redirect(call, "/", said=call.gettext("You are signed out."))


PAGES: Final = (
    Page("GET", START, "sign in with a wallet", show, "anyone",
         query=(*asked.FIELDS, "again")),
    Page("POST", "/sign-in/token", "sign in with an API token", by_token, "anyone",
         fields=("secret", *asked.FIELDS)),
    Page("GET", "/sign-out", "sign out?", ask_out),
    Page("POST", "/sign-out", "end this session", sign_out, "anyone"),
)  # fmt: skip
