"""A reader's month, in each asset of the node.

The stablecoin's month is closed on its own, and other flattrs can count in it: a reader may share a
wallet with a creator in one asset only. So a thing is listed that counts in either.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from node.clock import this_month
from node.flows import statement
from node.flows.statement import ClosedMonth, OpenMonth
from node.ids import ThingId
from node.month import Month
from node.store.things import Thing
from node.web.endpoint import Call
from node.web.models.months import (
    FlattrLine,
    MonthOut,
    MonthPageQuery,
    UsdFlattrOut,
    UsdMonthOut,
)

_UNCLAIMED: Final = "nobody has claimed it yet: it waits for its owner, for up to three months"
_OWN: Final = "it is yours, or its owner is suspended or is paid where you are"
_CLOSED: Final = "none of your sats went to it"

Seen: TypeAlias = OpenMonth | ClosedMonth


async def read_month(call: Call, page: MonthPageQuery) -> MonthOut:
    """GET /month."""
    return await _month(call, this_month(call.node.clock), page)


async def read_that_month(call: Call, page: MonthPageQuery) -> MonthOut:
    """GET /months/{month}."""
    return await _month(call, call.month(), page)


async def _month(call: Call, month: Month, page: MonthPageQuery) -> MonthOut:
    node = call.node
    sat = await statement.month_of(node.store, node.clock, node.rules, call.member, month)
    usd = None
    if node.stablecoin:
        rules = node.stablecoin.rules
        usd = await statement.month_of(node.store, node.clock, rules, call.member, month)
    marked = sorted({*sat.marked, *(usd.marked if usd else ())})
    shown = [thing for thing in marked if thing > (page.after or 0)][: page.limit]
    known = await statement.things_of(node.store, shown)
    lines = [_line(known[thing], sat, usd) for thing in shown]
    more = str(shown[-1]) if shown and shown[-1] != marked[-1] else None
    return MonthOut(
        month=str(sat.month),
        closed=isinstance(sat, ClosedMonth),
        seconds_left=sat.seconds_left if isinstance(sat, OpenMonth) else 0,
        pot_msat=sat.pot.units,
        flattrs=sat.split.flattrs,
        waited=len(sat.waited) if isinstance(sat, OpenMonth) else None,
        share_msat=sat.split.share,
        share_with_one_more_msat=sat.one_more.share if isinstance(sat, OpenMonth) else None,
        commission_per_share_msat=sat.split.commission,
        carry_msat=sat.split.carry,
        digest=None if isinstance(sat, OpenMonth) else sat.digest,
        things=lines,
        usd=None if usd is None else _usd_month(usd, file_id(call, usd.month)),
        next=more,
    )


def _line(thing: Thing, sat: Seen, usd: Seen | None) -> FlattrLine:
    counts = thing.id in sat.counted
    return FlattrLine(
        thing=thing.id,
        url=thing.url,
        title=thing.title,
        counts=counts,
        share_msat=sat.split.share if counts else 0,
        why_not=None if counts else _why_not(thing, sat),
        usd=None if usd is None else _usd_flattr(thing.id, usd),
    )


def _why_not(thing: Thing, sat: Seen) -> str:
    if isinstance(sat, ClosedMonth):
        return _CLOSED
    return _UNCLAIMED if thing.owner is None else _OWN


def _usd_flattr(thing: ThingId, usd: Seen) -> UsdFlattrOut:
    counts = thing in usd.counted
    return UsdFlattrOut(counts=counts, share_units=usd.split.share if counts else 0)


def file_id(call: Call, month: Month) -> str | None:
    """The member's name in the published file of a month; None without the stablecoin."""
    coin = call.node.stablecoin
    return None if coin is None else coin.file_id(month, call.member)


def _usd_month(usd: Seen, file_id: str | None) -> UsdMonthOut:
    return UsdMonthOut(
        closed=isinstance(usd, ClosedMonth),
        pot_units=usd.pot.units,
        flattrs=usd.split.flattrs,
        waited=len(usd.waited) if isinstance(usd, OpenMonth) else None,
        share_units=usd.split.share,
        share_with_one_more_units=usd.one_more.share if isinstance(usd, OpenMonth) else None,
        commission_per_share_units=usd.split.commission,
        carry_units=usd.split.carry,
        digest=None if isinstance(usd, OpenMonth) else usd.digest,
        file_id=None if isinstance(usd, OpenMonth) else file_id,
    )
