"""What is flattred most: in the last seven days, and in this month."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from node.clock import this_month
from node.month import Month
from node.store.things import Thing
from node.web.pages.page import Page, PageCall
from node.web.pages.render import render

SHOWN: Final = 50
MONTH: Final = "month"


@dataclass(frozen=True, slots=True)
class PopularView:
    """A list, and which of the two it is."""

    of_month: bool
    month: Month
    lines: list[tuple[Thing, int]]


async def show(call: PageCall) -> web.Response:
    """GET /popular, and /popular?of=month."""
    of_month = call.asked("of") == MONTH
    month = this_month(call.node.clock)
    known = call.desk.popular
    found = await (known.of_month(month) if of_month else known.of_week())
    return render(call, "public/popular.html", view=PopularView(of_month, month, found[:SHOWN]))


PAGES: Final = (
    Page("GET", "/popular", "what is flattred most this week, or this month (?of=month)", show,
         "anyone", query=("of",)),
)  # fmt: skip
