"""The end of signing in: take what a wallet has proved, and go where one wanted to go."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from node.errors import Rejected
from node.flows.sign_in.asking import waiting
from node.flows.sign_in.finish import Linked, NameWanted, SignedIn, Unsigned, finish
from node.flows.sign_in.words import wallet_name
from node.web.login import asked
from node.web.login.asked import START, WALLETS, Asked, browser_of, sign_in_of
from node.web.pages.page import Page, PageCall
from node.web.pages.refusals import sentence
from node.web.pages.render import redirect, render

NAME: Final = "/sign-in/name"


async def take(call: PageCall) -> web.Response:
    """POST /sign-in/finish: a wallet has signed, or not yet."""
    wanted = await asked.read(call)
    try:
        return await finished(call, wanted)
    except Rejected as error:
        return asked.again(call, wanted, START, error)


async def ask_name(call: PageCall) -> web.Response:
    """GET /sign-in/name: somebody who is new."""
    return await _name(call, await asked.read(call))


async def name(call: PageCall) -> web.Response:
    """POST /sign-in/name: a new member, if the name is free."""
    wanted = await asked.read(call)
    given = call.field("name").lower()
    try:
        call.desk.limits.count_join(call.address)
        return await finished(call, wanted, given)
    except Rejected as error:
        return await _name(call, wanted, given, error)


async def _name(
    call: PageCall, wanted: Asked, given: str = "", error: Rejected | None = None
) -> web.Response:
    proof = await waiting(sign_in_of(call.node), call.browser.visitor)
    if proof is None:
        return _unsigned(call, wanted)
    return render(
        call, "login/name.html", status=error.status if error else 200, asked=wanted, typed=given,
        error=sentence(error) if error else "", wallet=wallet_name(proof.kind, proof.key),
    )  # fmt: skip


async def finished(call: PageCall, wanted: Asked, given: str | None = None) -> web.Response:
    """Take the proof of this browser, and answer. Raises as `finish` does."""
    done = await finish(sign_in_of(call.node), browser_of(call), given)
    match done:
        case SignedIn(new=new, joined=joined):
            call.browser.sign_in(new.secret)
            said = call.gettext("Welcome! Put something into your pot to begin.") if joined else ""
            return redirect(call, wanted.next, said=said)
        case Linked(new=opened):
            if opened is not None:
                call.browser.sign_in(opened.secret)
            after = wanted.next if opened is not None else WALLETS
            return redirect(call, after, said=call.gettext("This wallet can sign in as you now."))
        case NameWanted():
            return redirect(call, wanted.path(NAME))
        case Unsigned():
            return _unsigned(call, wanted)


def _unsigned(call: PageCall, wanted: Asked) -> web.Response:
    said = call.gettext("No wallet has signed yet, or its time was over: begin again.")
    return redirect(call, wanted.path(START), said=said, kind="error")


PAGES: Final = (
    Page("POST", "/sign-in/finish", "take what a wallet has signed", take, "anyone",
         fields=asked.FIELDS),
    Page("GET", NAME, "a name for somebody who is new", ask_name, "anyone", query=asked.FIELDS),
    Page("POST", NAME, "join under this name", name, "anyone", fields=("name", *asked.FIELDS)),
)  # fmt: skip
