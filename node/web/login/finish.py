"""The end of signing in: take what a wallet has proved, and go where one wanted to go."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from node.errors import Rejected
from node.flows.sign_in.asking import waiting
from node.flows.sign_in.finish import (
    Linked,
    NameWanted,
    SignedIn,
    Unsigned,
    YesWanted,
    decline,
    finish,
)
from node.flows.sign_in.words import wallet_name
from node.web.login import asked
from node.web.login.asked import START, WALLETS, Asked, browser_of, sign_in_of
from node.web.pages.page import Page, PageCall
from node.web.pages.refusals import sentence
from node.web.pages.render import redirect, render

NAME: Final = "/sign-in/name"
LINK: Final = "/sign-in/link"


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


async def ask_whose(call: PageCall) -> web.Response:
    """GET /sign-in/link: which wallet has signed, and whose it is."""
    wanted = await asked.read(call)
    proof = await waiting(sign_in_of(call.node), call.browser.visitor)
    if proof is None or proof.action != "link" or proof.member != call.member:
        return _unsigned(call, wanted)
    return render(call, "login/whose.html", asked=wanted, key=proof.key)


async def say_whose(call: PageCall) -> web.Response:
    """POST /sign-in/link: it is mine, or it is not."""
    wanted = await asked.read(call)
    if call.field("whose") != "mine":
        await decline(sign_in_of(call.node), browser_of(call))
        said = call.gettext("That wallet was not added. Ask for a new code, and show it to nobody.")
        return redirect(call, WALLETS, said=said)
    try:
        return await finished(call, wanted, mine=call.field("key"))
    except Rejected as error:
        return asked.again(call, wanted, START, error)


async def finished(
    call: PageCall, wanted: Asked, given: str | None = None, *, mine: str = ""
) -> web.Response:
    """Take the proof of this browser, and answer. Raises as `finish` does."""
    done = await finish(sign_in_of(call.node), browser_of(call), given, mine=mine)
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
        case YesWanted():
            return redirect(call, wanted.path(LINK))
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
    Page("GET", LINK, "which wallet has signed: is it mine?", ask_whose, query=asked.FIELDS),
    Page("POST", LINK, "it is, or it is not", say_whose, fields=("key", "whose", *asked.FIELDS)),
)  # fmt: skip
