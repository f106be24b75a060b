"""Months: those that wait, what one would come to, the operator's approval, and those closed."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from node.clock import now_s
from node.errors import BadInput, NotFound
from node.flows.operator import acts
from node.flows.operator.months import closed_month, dry_run, open_months
from node.flows.operator.overview import assets, overview
from node.money import Asset
from node.web.operator.page import ANSWER, OperatorCall, OperatorPage

APPROVE: Final = "approve close {month}"


async def show_months(call: OperatorCall) -> web.Response:
    """GET /months."""
    seen = await overview(call.node)
    closed = [one for view in seen.assets for one in view.months]
    return call.render(
        "months.html", open=await open_months(call.node), closed=closed,
        needs_approval=call.node.settings.money.close_needs_approval,
    )  # fmt: skip


async def show_month(call: OperatorCall) -> web.Response:
    """GET /months/{asset}/{month}: a dry run, or what was closed."""
    node, asset, month = call.node, _asset(call), call.month()
    listed = next(
        (one for one in await open_months(node) if (one.asset, one.month) == (asset, month)), None
    )
    if listed is None or listed.close is not None:
        return call.render("closed_month.html", close=await closed_month(node, asset, month))
    waits = listed.over and listed.approval is None
    asked = await call.ask(APPROVE.format(month=month)) if waits else ""
    return call.render(
        "dry_run.html", month=listed, run=await dry_run(node, asset, month), asked=asked,
        needs_approval=node.settings.money.close_needs_approval, now_s=now_s(node.clock),
    )  # fmt: skip


async def approve(call: OperatorCall) -> web.Response:
    """POST /months/{month}/approve: in every asset."""
    month = call.month()
    await acts.approve(call.node, call.actor, month, call.field("words"))
    return call.to("/", said=call.gettext("Approved: it is closed within a minute."))


def _asset(call: OperatorCall) -> Asset:
    """The asset in the path. Raises NotFound."""
    try:
        asset = Asset(call.request.match_info["asset"])
    except ValueError as error:
        raise NotFound("there is no such asset") from error
    if asset not in assets(call.node):
        raise NotFound("this node has no such asset")
    return asset


def page_number(text: str) -> int:
    """The number of a page of a list, from 0; empty: the first. Raises BadInput."""
    if not text:
        return 0
    if not (text.isascii() and text.isdecimal() and len(text) <= 5):  # noqa: PLR2004  99 999 pages
        raise BadInput("there is no such page of the list")
    return int(text)


PAGES: Final = (
    OperatorPage("GET", "/months", "months that wait, and those that are closed", show_months),
    OperatorPage("GET", "/months/{asset}/{month}", "a dry run, or what was closed", show_month),
    OperatorPage("POST", "/months/{month}/approve", "let it be closed", approve,
                 fields=(ANSWER, "words"), back="/months", act=APPROVE),
)  # fmt: skip
