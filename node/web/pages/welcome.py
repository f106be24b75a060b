"""The first page, the language of all pages, and the static files."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from node.web.pages import forms, language
from node.web.pages.formats import Formats
from node.web.pages.page import Page, PageCall
from node.web.pages.render import redirect, render
from node.web.static_files import PATH

YEAR_S: Final = 31_536_000


async def show(call: PageCall) -> web.Response:
    """GET /: what happens here, in three lines."""
    percent = Formats(call.language).percent(call.node.rules.commission_bps)
    return render(
        call, "welcome.html", percent=percent, stablecoin=call.node.stablecoin is not None
    )


async def choose_language(call: PageCall) -> web.Response:
    """POST /language: speak it from now on."""
    if call.field("language") in language.NAMES:
        call.browser.keep(language.COOKIE, call.field("language"), YEAR_S)
    return redirect(call, forms.local_path(call.field("here")))


async def serve_file(call: PageCall) -> web.Response:
    """GET /static/…: a file of the pages."""
    return call.desk.files.answer(call.request)


PAGES: Final = (
    Page("GET", "/", "what happens here", show, "anyone"),
    Page("POST", "/language", "speak this language", choose_language, "anyone",
         fields=("language", "here"), token=False),
    Page("GET", PATH, "a style, a script or a picture", serve_file, "anyone"),
)  # fmt: skip
