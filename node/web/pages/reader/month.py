"""The reader's month: the pot, what was flattred, what each is worth, and what can be changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from node.clock import this_month
from node.errors import BadInput
from node.flows import fund, look, statement, subscribe
from node.flows.rules import Rules
from node.flows.statement import Balance, OpenMonth
from node.ids import ThingId
from node.money import Amount
from node.month import Month
from node.store.things import Thing
from node.web import reading
from node.web.pages import forms
from node.web.pages.active import active
from node.web.pages.page import Page, PageCall
from node.web.pages.render import redirect, render

SHOWN: Final = 50
LENGTHS: Final = tuple(sorted(subscribe.LENGTHS))


@dataclass(frozen=True, slots=True)
class PotView:
    """The month in one asset, if it closed now."""

    pot: Amount
    counted: int
    waited: int
    """How many of them were flattred in a month before, and wait no more."""
    share: Amount
    share_with_one_more: Amount
    carry: Amount


@dataclass(frozen=True, slots=True)
class LineView:
    """One flattred thing. `counts` is empty where it does, or says why it does not."""

    id: int
    url: str
    title: str
    counts: bool
    waits: bool
    """Nobody has claimed it yet."""
    repeats_to: Month | None


@dataclass(frozen=True, slots=True)
class MonthView:
    """The page of the month."""

    month: Month
    seconds_left: int
    balance: Balance
    pots: tuple[PotView, ...]
    """In sats, and in the stablecoin where the reader has some."""
    marked: int
    share: Amount
    """Of each thing that counts, in sats."""
    lines: list[LineView]
    after: int | None
    lengths: tuple[int, ...]
    means_sat: int
    pot_sat: int


async def show(call: PageCall) -> web.Response:
    """GET /month."""
    node, member = call.node, call.member
    balance = await statement.balance(node.store, node.clock, node.rules, member)
    sat = await _open(call, node.rules)
    usd = await _open(call, node.stablecoin.rules) if node.stablecoin else None
    after = reading.row_id(call.asked("after")) if call.asked("after") else 0
    left = [thing for thing in sat.marked if thing > after]
    known = await statement.things_of(node.store, left[:SHOWN])
    repeats = await _repeats(call)
    view = MonthView(
        month=sat.month,
        seconds_left=sat.seconds_left,
        balance=balance,
        pots=(_pot(sat), *([_pot(usd)] if usd is not None and usd.pot else [])),
        marked=len(sat.marked),
        share=Amount(sat.split.share),
        lines=[_line(known[one], sat, repeats) for one in left[:SHOWN] if one in known],
        after=left[SHOWN - 1] if len(left) > SHOWN else None,
        lengths=LENGTHS,
        means_sat=balance.means.units // 1000,
        pot_sat=balance.pot.units // 1000,
    )
    return render(call, "reader/month.html", view=view)


async def set_pot(call: PageCall) -> web.Response:
    """POST /month/pot."""
    amount = forms.amount(call.field("amount"))
    await fund.set_pot(call.node.funding, call.member, amount, call.once())
    return redirect(call, "/month", said=call.gettext("Your pot is changed."))


async def set_means(call: PageCall) -> web.Response:
    """POST /month/means."""
    amount = forms.amount(call.field("amount"))
    await fund.set_means(call.node.funding, call.member, amount)
    if not amount:
        return redirect(call, "/month", said=call.gettext("Nothing is set aside by itself now."))
    said = call.gettext("From next month on, your pot is filled up by itself.")
    return redirect(call, "/month", said=said)


async def flattr(call: PageCall) -> web.Response:
    """POST /month/flattr: by the URL of a page."""
    thing = await call.desk.things.by_url(call.field("url"))
    await call.node.clicks.flattr(call.member, thing, None, call.once())
    return redirect(call, "/month", said=call.gettext("Flattred."))


async def undo(call: PageCall) -> web.Response:
    """POST /month/undo: take a flattr of this month back."""
    await call.node.clicks.undo(call.member, await _thing(call), None, call.once())
    return redirect(call, "/month", said=call.gettext("It is taken back."))


async def repeat(call: PageCall) -> web.Response:
    """POST /month/subscribe: flattr a thing this month and in those that follow."""
    thing, months = await _thing(call), call.field("months")
    if months not in map(str, LENGTHS):
        raise BadInput("choose 3, 6 or 12 months")
    node = call.node
    await subscribe.subscribe(node.store, node.clock, node.clicks, call.member, thing, int(months))
    return redirect(call, "/month", said=call.gettext("It is flattred each month from now on."))


async def repeat_no_more(call: PageCall) -> web.Response:
    """POST /month/unsubscribe: this month's flattr stays."""
    thing = await _thing(call)
    await subscribe.unsubscribe(call.node.store, call.node.clock, call.member, thing.id)
    said = call.gettext("It repeats no more. This month's flattr stays until you take it back.")
    return redirect(call, "/month", said=said)


async def _thing(call: PageCall) -> Thing:
    return await call.desk.things.by_id(reading.row_id(call.field("thing")))


async def _open(call: PageCall, rules: Rules) -> OpenMonth:
    node = call.node
    month = this_month(node.clock)
    found = await statement.month_of(node.store, node.clock, rules, call.member, month)
    assert isinstance(found, OpenMonth), "a month is closed when it is over"
    return found


async def _repeats(call: PageCall) -> dict[ThingId, Month]:
    """The last month of each of the reader's running subscriptions, by thing."""
    mine = await look.subscriptions_of(call.node.store, call.member)
    return {one.thing: one.last for one in mine if subscribe.runs(call.node.clock, one)}


def _pot(month: OpenMonth) -> PotView:
    asset = month.pot.asset
    return PotView(
        pot=month.pot,
        counted=month.split.flattrs,
        waited=len(month.waited),
        share=Amount(month.split.share, asset),
        share_with_one_more=Amount(month.one_more.share, asset),
        carry=Amount(month.split.carry, asset),
    )


def _line(thing: Thing, month: OpenMonth, repeats: dict[ThingId, Month]) -> LineView:
    return LineView(
        id=thing.id,
        url=thing.url,
        title=thing.title or thing.url,
        counts=thing.id in month.counted,
        waits=thing.owner is None,
        repeats_to=repeats.get(thing.id),
    )


PAGES: Final = (
    Page("GET", "/month", "the pot, and what was flattred", show, query=("after",)),
    Page("POST", "/month/pot", "make the pot hold so much", set_pot,
         fields=("amount", "once"), back="/month"),
    Page("POST", "/month/means", "fill it up to so much each month", set_means,
         fields=("amount",), back="/month"),
    Page("POST", "/month/flattr", "flattr a page by its URL", active(flattr),
         fields=("url", "once"), back="/month"),
    Page("POST", "/month/undo", "take a flattr back", active(undo),
         fields=("thing", "once"), back="/month"),
    Page("POST", "/month/subscribe", "flattr a thing each month", active(repeat),
         fields=("thing", "months"), back="/month"),
    Page("POST", "/month/unsubscribe", "repeat it no more", active(repeat_no_more),
         fields=("thing",), back="/month"),
)  # fmt: skip
