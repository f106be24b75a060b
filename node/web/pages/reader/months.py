"""Closed months: a list, and the receipt of each, to be read or printed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from aiohttp import web

from node.clock import now_s, this_month
from node.errors import NotFound
from node.flows import look, statement
from node.flows.receipts import Receipt
from node.flows.rules import Rules
from node.flows.statement import ClosedMonth
from node.ids import MemberId
from node.money import Amount, Asset
from node.month import Month
from node.store.things import Thing
from node.web import reading
from node.web.pages import pictures
from node.web.pages.formats import Formats
from node.web.pages.page import Page, PageCall
from node.web.pages.pictures import Chart
from node.web.pages.render import redirect, render

SHOWN: Final = 500
BARS_MAX: Final = 12


@dataclass(frozen=True, slots=True)
class MonthLine:
    """One closed month in the list."""

    month: Month
    flattrs: int
    given: Amount
    pot: Amount
    share: Amount


@dataclass(frozen=True, slots=True)
class MonthsView:
    """The list; a chart of what was given in sats."""

    lines: list[MonthLine]
    chart: Chart | None
    this: Month


@dataclass(frozen=True, slots=True)
class ReceiptPart:
    """A closed month of a reader in one asset."""

    pot: Amount
    flattrs: int
    share: Amount
    to_creator: Amount
    to_creators: Amount
    commission: Amount
    given: Amount
    commission_of_all: Amount
    carry: Amount
    digest: str | None
    file_id: str | None
    things: list[Thing]


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """The receipt."""

    month: Month
    member: MemberId
    name: str
    parts: list[ReceiptPart]
    percent: str
    printed_s: int
    after: int | None


async def list_months(call: PageCall) -> web.Response:
    """GET /months."""
    node = call.node
    all_rules = [node.rules, *([node.stablecoin.rules] if node.stablecoin else [])]
    lines = []
    for rules in all_rules:
        mine = await statement.closed_months(node.store, rules, call.member)
        lines += [_month_line(one, rules.asset) for one in mine]
    lines.sort(key=lambda one: one.month.ordinal, reverse=True)
    view = MonthsView(lines, _chart(call, lines), this_month(node.clock))
    return render(call, "reader/months.html", view=view)


async def show_receipt(call: PageCall) -> web.Response:
    """GET /months/{month}: the receipt. Raises NotFound while the month is open."""
    node, month = call.node, call.month()
    if month == this_month(node.clock):
        return redirect(call, "/month")
    after = reading.row_id(call.asked("after")) if call.asked("after") else 0
    found = [await _part(call, node.rules, month, after, None)]
    if node.stablecoin:
        file_id = node.stablecoin.file_id(month, call.member)
        found.append(await _part(call, node.stablecoin.rules, month, after, file_id))
    parts = [one for one in found if one is not None]
    if not parts:
        raise NotFound(f"{month} is not closed, or you had no pot in it")
    return render(call, "reader/receipt.html", view=await _receipt(call, month, parts))


async def _receipt(call: PageCall, month: Month, parts: list[ReceiptPart]) -> ReceiptView:
    member = await look.member_of(call.node.store, call.member)
    shown = [replace(part, things=part.things[:SHOWN]) for part in parts]
    return ReceiptView(
        month=month,
        member=call.member,
        name=member.name,
        parts=shown,
        percent=Formats(call.language).percent(call.node.rules.commission_bps),
        printed_s=now_s(call.node.clock),
        after=min(
            (part.things[SHOWN - 1].id for part in parts if len(part.things) > SHOWN), default=None
        ),
    )


async def _part(
    call: PageCall, rules: Rules, month: Month, after: int, file_id: str | None
) -> ReceiptPart | None:
    node = call.node
    found = await statement.month_of(node.store, node.clock, rules, call.member, month)
    if not isinstance(found, ClosedMonth) or not found.pot:
        return None
    asset, split = rules.asset, found.split
    shown = [thing for thing in found.marked if thing > after][: SHOWN + 1]
    known = await statement.things_of(node.store, shown)
    return ReceiptPart(
        pot=found.pot,
        flattrs=split.flattrs,
        share=Amount(split.share, asset),
        to_creator=Amount(split.net, asset),
        to_creators=Amount(split.net * split.flattrs, asset),
        commission=Amount(split.commission, asset),
        given=Amount(split.share * split.flattrs, asset),
        commission_of_all=Amount(split.commission * split.flattrs, asset),
        carry=Amount(split.carry, asset),
        digest=found.digest,
        file_id=file_id,
        things=[known[one] for one in shown],
    )


def _month_line(one: Receipt, asset: Asset) -> MonthLine:
    return MonthLine(
        month=one.month,
        flattrs=one.flattrs,
        given=Amount(one.share * one.flattrs, asset),
        pot=Amount(one.pot, asset),
        share=Amount(one.share, asset),
    )


def _chart(call: PageCall, lines: list[MonthLine]) -> Chart | None:
    sat = [one for one in lines if one.given.asset is Asset.SAT][:BARS_MAX]
    if len(sat) < 2:  # noqa: PLR2004  one bar compares with nothing
        return None
    written = Formats(call.language)
    return pictures.chart(
        [
            (written.short_month(one.month), one.given.units, written.compact(one.given))
            for one in reversed(sat)
        ]
    )


PAGES: Final = (
    Page("GET", "/months", "my closed months", list_months),
    Page("GET", "/months/{month}", "the receipt of one", show_receipt, query=("after",)),
)  # fmt: skip
