"""The log of what was done by whom, newest first."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from node.flows.operator.lists import log_rows
from node.web import reading
from node.web.operator.page import OperatorCall, OperatorPage

ROWS: Final = 50


async def show(call: OperatorCall) -> web.Response:
    """GET /log."""
    before = reading.row_id(call.asked("before")) if call.asked("before") else None
    rows, head = await log_rows(call.node.store, before, ROWS + 1)
    return call.render("log.html", rows=rows[:ROWS], more=len(rows) > ROWS, head=head)


PAGES: Final = (OperatorPage("GET", "/log", "what was done by whom", show, query=("before",)),)
