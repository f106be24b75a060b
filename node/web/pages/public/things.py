"""The public page of a thing: how often it was flattred, month by month, and whose it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from node.clock import this_month
from node.flows import public
from node.flows.public import ThingStory
from node.ids import ThingId
from node.month import Month
from node.store.things import Thing
from node.web.pages import pictures
from node.web.pages.formats import Formats
from node.web.pages.page import Page, PageCall
from node.web.pages.pictures import Chart
from node.web.pages.render import render

MONTHS_SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class ThingView:
    """What the page shows. `click` is the path of the window in which it is flattred."""

    thing: Thing
    title: str
    creator: str | None
    owned: bool
    mine: bool
    flattrs: int
    this_month: int
    waiting: int
    month: Month
    months: list[tuple[Month, int]]
    chart: Chart | None
    click: str
    oembed: str


async def show(call: PageCall) -> web.Response:
    """GET /things/{thing}."""
    node = call.node
    story = await public.thing_story(node.store, node.clock, ThingId(call.row_id("thing")))
    thing, counters = story.counters.thing, story.counters
    view = ThingView(
        thing=thing,
        title=thing.title or thing.url,
        creator=story.creator,
        owned=thing.owner is not None,
        mine=call.session is not None and thing.owner == call.member,
        flattrs=counters.flattrs,
        this_month=counters.this_month,
        waiting=counters.waiting,
        month=this_month(node.clock),
        months=list(story.by_month.items())[:MONTHS_SHOWN],
        chart=_chart(call, story),
        click=click_path(thing.url),
        oembed="/oembed?" + urlencode({"url": thing.url}),
    )
    return render(call, "public/thing.html", view=view)


def click_path(url: str) -> str:
    """Where a thing is flattred: the window of the button."""
    return "/click?" + urlencode({"url": url})


def _chart(call: PageCall, story: ThingStory) -> Chart | None:
    """The last twelve months, oldest first, those without a flattr included; None: too few."""
    if len(story.by_month) <= 1:
        return None
    newest, oldest = max(story.by_month), min(story.by_month)
    written = Formats(call.language)
    points = []
    for back in range(MONTHS_SHOWN - 1, -1, -1):
        month = newest.plus(-back)
        if month >= oldest:
            count = story.by_month.get(month, 0)
            points.append((written.short_month(month), count, written.number(count)))
    return pictures.chart(points)


PAGES: Final = (
    Page("GET", "/things/{thing}", "a thing: its counters by month, and whose it is", show,
         "anyone"),
)  # fmt: skip
