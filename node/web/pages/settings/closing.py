"""Close the account: what is in the way, what is left behind, and the name typed to say so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from node.errors import BadInput
from node.flows.leave import leave, look_at_leaving
from node.flows.look import member_of
from node.money import Amount, Asset
from node.web.pages.page import Page, PageCall
from node.web.pages.render import redirect, render

PATH: Final = "/settings/close"
_DIGITS_MAX: Final = 18


@dataclass(frozen=True, slots=True)
class ClosingView:
    """The page. `left` is too little for any payment, and must be agreed to."""

    name: str
    in_the_way: tuple[str, ...]
    left: tuple[Amount, ...]
    left_msat: int
    left_units: int


async def show(call: PageCall) -> web.Response:
    """GET /settings/close."""
    _count(call)
    who = await member_of(call.node.store, call.member)
    found = await look_at_leaving(call.node, call.member)
    view = ClosingView(
        who.name, found.in_the_way, found.left, found.left_units(Asset.SAT),
        found.left_units(Asset.USD),
    )  # fmt: skip
    return render(call, "settings/closing.html", view=view)


async def close(call: PageCall) -> web.Response:
    """POST /settings/close."""
    _count(call)
    left = (Amount(_units(call, "left_msat")), Amount(_units(call, "left_units"), Asset.USD))
    released = await leave(call.node, call.member, call.field("name"), left, fresh=True)
    call.desk.sessions.forget_members(call.member)
    for thing in released:
        call.desk.things.forget(thing)
    call.browser.sign_out()
    return redirect(call, "/", said=call.gettext("Your account is closed. Farewell!"))


def _count(call: PageCall) -> None:
    """The vault is asked, where there is one."""
    if call.node.stablecoin is not None:
        call.desk.limits.count_chain(call.member)


def _units(call: PageCall, name: str) -> int:
    text = call.field(name) or "0"
    if not (text.isascii() and text.isdecimal() and len(text) <= _DIGITS_MAX):
        raise BadInput("this form is not complete: go back, reload the page, and send it again")
    return int(text)


PAGES: Final = (
    Page("GET", PATH, "what is in the way of closing my account", show),
    Page("POST", PATH, "close it", close, "fresh", fields=("name", "left_msat", "left_units"),
         back=PATH),
)  # fmt: skip
