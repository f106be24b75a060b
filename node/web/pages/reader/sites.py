"""GET /settings/sites: the sites on which one click flattrs, each with a way to take it back."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from node.flows import consents
from node.web.pages.page import Page, PageCall
from node.web.pages.render import redirect, render

PATH: Final = "/settings/sites"


async def show(call: PageCall) -> web.Response:
    """The list."""
    sites = await consents.sites_of(call.node.store, call.member)
    return render(call, "reader/sites.html", sites=sites)


async def end(call: PageCall) -> web.Response:
    """POST: be asked on a site again."""
    await consents.take_back(call.node.store, call.member, call.field("origin"))
    return redirect(call, PATH, said=call.gettext("You are asked there again from now on."))


PAGES: Final = (
    Page("GET", PATH, "where one click flattrs without asking", show),
    Page("POST", PATH, "be asked there again", end, fields=("origin",), back=PATH),
)  # fmt: skip
