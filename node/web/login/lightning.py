"""Signing in over Lightning: the code, the wallet's call, and the page that flips.

The wallet calls by GET, because LUD-04 says so. It changes nothing for whoever makes the call: what
it proves waits for the browser that shows the code. A refusal is answered with status 200, since
wallets show the reason of such an answer and of no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from aiohttp import web

from node.errors import BadInput, FreshSignInNeeded, Rejected, TooMany
from node.flows.sign_in import lightning
from node.flows.sign_in.asking import VALID_S, hash_of, waiting
from node.web.login import asked
from node.web.login.asked import sign_in_of
from node.web.pages import events
from node.web.pages.page import Page, PageCall
from node.web.pages.refusals import sentence
from node.web.pages.render import render

_FROM_ANYWHERE: Final[Mapping[str, str]] = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
"""Wallets that are web pages call, too; the call has no cookie, and tells nothing."""
PATH: Final = "/sign-in/lightning"


async def show(call: PageCall) -> web.Response:
    """GET /sign-in/lightning: a code for this browser."""
    wanted = await asked.read(call)
    call.desk.limits.count_sign_in(call.address)
    try:
        shown = await lightning.show(
            sign_in_of(call.node), call.browser.visitor, wanted.action, wanted.by
        )
    except FreshSignInNeeded as error:
        return asked.again(call, wanted, PATH, error)
    return render(call, "login/lightning.html", asked=wanted, shown=shown, minutes=VALID_S // 60)


async def wait(call: PageCall) -> web.StreamResponse:
    """GET /sign-in/lightning/events: says when a wallet has signed for this browser."""
    browser = call.browser.visitor

    async def look() -> str:
        return "signed" if await waiting(sign_in_of(call.node), browser) else ""

    with call.node.arrivals.watch(_stream(hash_of(browser))) as signed:
        return await events.flip(call, signed, look)


async def hear(call: PageCall) -> web.Response:
    """GET /sign-in/lightning/callback: a wallet brings its signature (LUD-04)."""
    try:
        call.desk.limits.count_sign_in(call.address)
        query = call.request.query
        if len(set(query)) != len(query):
            raise BadInput("a parameter is there twice: call the URL as it was given")
        proof = await lightning.signed(sign_in_of(call.node), query)
    except Rejected as error:
        told = {"status": "ERROR", "reason": sentence(error)}
        status = error.status if isinstance(error, TooMany) else 200
        return web.json_response(told, status=status, headers=_FROM_ANYWHERE)
    call.node.arrivals.tell(_stream(proof.browser))
    return web.json_response({"status": "OK"}, headers=_FROM_ANYWHERE)


def _stream(browser_hash: str) -> str:
    return f"sign-in {browser_hash}"


PAGES: Final = (
    Page("GET", PATH, "a code for a Lightning wallet", show, "anyone",
         query=asked.FIELDS),
    Page("GET", PATH + "/events", "says when it is signed (text/event-stream)", wait, "anyone"),
    Page("GET", lightning.CALLBACK_PATH, "a wallet brings its signature (LUD-04)", hear, "anyone",
         query=("tag", "k1", "action", "sig", "key")),
)  # fmt: skip
