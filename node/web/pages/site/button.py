"""GET /creator/button: the button as it will look, and what to copy for it. Open to everybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from node.canonical import canonical_url
from node.errors import BadUrl
from node.flows import look
from node.flows.window import clean_title
from node.ids import ThingId
from node.store.things import Thing
from node.web.embed.script import read_script
from node.web.pages.page import Page, PageCall
from node.web.pages.refusals import sentence
from node.web.pages.render import render
from node.web.pages.site.snippets import Snippet, snippets

EXAMPLE: Final = "https://blog.example/a-post"
THINGS_SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class ButtonView:
    """What the template shows. `refused`: why the URL that was asked for is none."""

    url: str
    title: str
    asked: str
    refused: str
    mine: list[Thing]
    snippets: dict[str, Snippet]
    origin: str
    integrity: str


async def show(call: PageCall) -> web.Response:
    """The page, for the URL that is asked for."""
    asked, title = call.asked("url").strip(), clean_title(call.asked("title"))
    refused, url = "", EXAMPLE
    if asked:
        try:
            canonical_url(asked)
            url = asked
        except BadUrl as error:
            refused = sentence(error)
    here = call.node.settings.web.base_url
    parts = urlsplit(here)
    view = ButtonView(
        url=url,
        title=title or ("" if asked else call.gettext("A post")),
        asked=asked,
        refused=refused,
        mine=await _mine(call),
        snippets={one.kind: one for one in snippets(here, url, title)},
        origin=f"{parts.scheme}://{parts.netloc}",
        integrity=read_script().integrity,
    )
    return render(call, "site/button.html", view=view)


async def _mine(call: PageCall) -> list[Thing]:
    if call.session is None:
        return []
    return await look.things_of_owner(call.node.store, call.member, THINGS_SHOWN, ThingId(0))


PAGES: Final = (
    Page("GET", "/creator/button", "the button, ready to copy", show, "anyone",
         query=("url", "title")),
)  # fmt: skip
