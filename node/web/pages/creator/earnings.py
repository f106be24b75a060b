"""What a creator earned: the open month's estimate, months as bars and rows, things as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from node.clock import this_month
from node.errors import BadInput, NotFound
from node.flows.earnings.estimate import Estimate
from node.flows.earnings.known import Earned, EarnedMonth
from node.flows.earnings.table import ORDERS, Line, table_of
from node.flows.rules import Rules
from node.money import Amount, Asset
from node.month import Month
from node.web.pages import pictures
from node.web.pages.formats import Formats
from node.web.pages.page import Page, PageCall
from node.web.pages.pictures import Chart
from node.web.pages.render import render

PATH: Final = "/creator/earnings"
MONTHS_SHOWN: Final = 12
BEST_FIRST: Final = "-earned"
_DIGITS_MAX: Final = 6


@dataclass(frozen=True, slots=True)
class Heading:
    """A column that sorts: where its link leads, and how it is sorted now."""

    name: str
    href: str
    sorted: str
    """For aria-sort: ascending, descending, or none."""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing of the table. `median` None: not known while the month is open."""

    id: int
    title: str
    url: str
    clicks: int
    average: Amount
    median: Amount | None
    earned: Amount


@dataclass(frozen=True, slots=True)
class MonthRow:
    """One closed month."""

    month: Month
    clicks: int
    earned: Amount
    href: str
    shown: bool


@dataclass(frozen=True, slots=True)
class AssetTab:
    """One asset of the node, and the page in it."""

    name: str
    href: str
    shown: bool


@dataclass(frozen=True, slots=True)
class EarningsView:
    """The page in one asset. `month`: whose things the table has; open or closed."""

    asset: Asset
    assets: list[AssetTab]
    month: Month
    this: Month
    closed: bool
    estimate: Estimate | None
    clicks_now: int
    as_of_s: int
    months: list[MonthRow]
    chart: Chart | None
    headings: list[Heading]
    rows: list[Row]
    all_rows: int
    page: int
    pages: int
    before: str
    after: str


async def show(call: PageCall) -> web.Response:
    """GET /creator/earnings. Raises BadMonth, BadInput, NotFound for a month that is not there."""
    node, rules = call.node, _rules(call)
    this = this_month(node.clock)
    month = Month.parse(call.asked("month")) if call.asked("month") else this
    order = call.asked("sort") or BEST_FIRST
    (closing,) = (one for one in node.closings(lambda _: None) if one.rules is rules)
    estimate = await node.estimates.of(closing, call.member)
    past = await node.earnings.months(node.store, rules.asset, call.member, MONTHS_SHOWN)
    closed = await node.earnings.month(node.store, rules.asset, month, call.member)
    if closed is None and month != this:
        raise NotFound(f"{month} is not closed, or was before you joined")
    earned = closed.things if closed else (estimate.things if estimate else ())
    table = await table_of(node.store, earned, order, _page(call))
    view = EarningsView(
        asset=rules.asset,
        assets=_assets(call, rules.asset),
        month=month,
        this=this,
        closed=closed is not None,
        estimate=estimate,
        clicks_now=sum(estimate.clicks.values()) if estimate else 0,
        as_of_s=estimate.as_of_us // 1_000_000 if estimate else 0,
        months=[_month(call, one, shown=one.month == month) for one in past],
        chart=_chart(call, past),
        headings=[_heading(call, name, order) for name in ("title", *ORDERS[1:-1], ORDERS[0])],
        rows=[_row(line, rules.asset) for line in table.lines],
        all_rows=table.rows,
        page=table.page,
        pages=table.pages,
        before=_href(call, page=str(table.page - 1)) if table.page > 1 else "",
        after=_href(call, page=str(table.page + 1)) if table.page < table.pages else "",
    )
    return render(call, "creator/earnings.html", view=view)


def _rules(call: PageCall) -> Rules:
    """The rules of the asset that is asked for. Raises BadInput."""
    asked = call.asked("asset") or Asset.SAT.value
    for rules in call.node.every_rules:
        if rules.asset.value == asked:
            return rules
    raise BadInput(f"this node has no asset {asked!r}")


def _page(call: PageCall) -> int:
    text = call.asked("page") or "1"
    if not (text.isascii() and text.isdecimal() and len(text) <= _DIGITS_MAX):
        raise BadInput("`page` is a number")
    return int(text)


def _href(call: PageCall, **changes: str) -> str:
    """The same page with other parameters; what is empty is left out."""
    kept = {name: call.asked(name) for name in ("asset", "month", "sort")}
    query = {name: value for name, value in {**kept, **changes}.items() if value}
    return PATH + (f"?{urlencode(query)}" if query else "")


def _heading(call: PageCall, name: str, order: str) -> Heading:
    by, falls = order.removeprefix("-"), order.startswith("-")
    first = name if name == "title" else f"-{name}"
    other = name if first != name else f"-{name}"
    sorted_ = ("descending" if falls else "ascending") if by == name else "none"
    return Heading(name, _href(call, sort=other if order == first else first), sorted_)


def _assets(call: PageCall, shown: Asset) -> list[AssetTab]:
    names = [rules.asset for rules in call.node.every_rules]
    if len(names) == 1:
        return []
    return [
        AssetTab(one.value, _href(call, asset=one.value, month=""), one is shown) for one in names
    ]


def _month(call: PageCall, one: EarnedMonth, *, shown: bool) -> MonthRow:
    return MonthRow(one.month, one.clicks, one.total, _href(call, month=str(one.month)), shown)


def _row(line: Line, asset: Asset) -> Row:
    one, thing = line.earned, line.thing
    return Row(
        thing.id, thing.title or thing.url, thing.url, one.clicks, Amount(one.average, asset),
        None if one.median is None else Amount(one.median, asset), _earned(one, asset),
    )  # fmt: skip


def _earned(one: Earned, asset: Asset) -> Amount:
    return Amount(one.units, asset)


def _chart(call: PageCall, months: Sequence[EarnedMonth]) -> Chart | None:
    if len(months) < 2:  # noqa: PLR2004  one bar compares with nothing
        return None
    written = Formats(call.language)
    return pictures.chart(
        [
            (written.short_month(one.month), one.total.units, written.compact(one.total))
            for one in reversed(months)
        ]
    )


PAGES: Final = (
    Page("GET", PATH, "what I earn: an estimate, months, things", show,
         query=("asset", "month", "sort", "page")),
)  # fmt: skip
