"""Where a creator is paid: one box that knows what it was given, and tries it before it saves."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from node.errors import RailError, Rejected
from node.flows.target import TargetState, set_any_target, targets_of
from node.money import Asset
from node.web.pages.page import Page, PageCall
from node.web.pages.refusals import sentence
from node.web.pages.render import redirect, render

UNREACHED: Final = 503
_HARMLESS: Final = re.compile(
    r"[^\s@:]{1,64}@[^\s@:]{1,253}|0x[0-9a-f]{1,42}|lnurl1.*", re.IGNORECASE
)
"""What is shown again after a refusal; anything else may be a secret."""


@dataclass(frozen=True, slots=True)
class TargetView:
    """The targets that there are, and what was typed."""

    states: list[TargetState]
    stablecoin: bool
    fresh: bool
    lock_s: int
    typed: str


async def show(call: PageCall) -> web.Response:
    """GET /creator/target."""
    return await _show(call, "")


async def save(call: PageCall) -> web.Response:
    """POST /creator/target: recognise, try, save."""
    typed = call.field("target")
    try:
        saved = await set_any_target(call.node, call.member, typed, fresh=True)
    except (Rejected, RailError) as error:
        call.browser.say_now("error", sentence(error))
        status = error.status if isinstance(error, Rejected) else UNREACHED
        return await _show(call, typed if _HARMLESS.fullmatch(typed) else "", status=status)
    kinds = {
        "address": call.gettext("a Lightning address"),
        "lnurl": call.gettext("an LNURL"),
        "node": call.gettext("a node key"),
        "evm": call.gettext("an address of the chain"),
    }
    said = call.gettext("Saved: %(target)s. It is %(kind)s, and was tried: %(tested)s.")
    words = {
        "target": saved.target.text, "kind": kinds[saved.kind], "tested": saved.tested,
    }  # fmt: skip
    return redirect(call, "/creator/target", said=said % words)


async def _show(call: PageCall, typed: str, *, status: int = 200) -> web.Response:
    node = call.node
    view = TargetView(
        states=await targets_of(node, call.member),
        stablecoin=node.stablecoin is not None,
        fresh=call.is_fresh(),
        lock_s=node.rules.target_lock_s,
        typed=typed,
    )
    return render(call, "creator/target.html", view=view, sat=Asset.SAT, status=status)


PAGES: Final = (
    Page("GET", "/creator/target", "where I am paid", show),
    Page("POST", "/creator/target", "be paid here; it is tried first", save, "fresh",
         fields=("target",), back="/creator/target"),
)  # fmt: skip
