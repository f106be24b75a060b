"""A reader's month and a creator's earnings, in each asset of the node.

The stablecoin's month is closed on its own, and other flattrs can count in it: a reader may share a
wallet with a creator in one asset only. So a thing is listed that counts in either.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from node.clock import this_month
from node.errors import NotFound
from node.flows import statement
from node.flows.receipts import ThingEarning
from node.flows.statement import ClosedMonth, OpenMonth
from node.ids import ThingId
from node.month import Month
from node.store.closes import Close
from node.store.things import Thing
from node.web.endpoint import Call
from node.web.models.months import (
    EarningLine,
    EarningsOut,
    FlattrLine,
    MonthOut,
    MonthPageQuery,
    UsdEarningsOut,
    UsdFlattrOut,
    UsdMonthOut,
)

_UNCLAIMED: Final = "nobody has claimed it yet: it waits for its owner, for up to three months"
_OWN: Final = "it is yours, or its owner is suspended"
_CLOSED: Final = "none of your sats went to it"

Seen: TypeAlias = OpenMonth | ClosedMonth
Earned: TypeAlias = tuple[Close, list[ThingEarning]]


async def read_month(call: Call, page: MonthPageQuery) -> MonthOut:
    """GET /month."""
    return await _month(call, this_month(call.node.clock), page)


async def read_that_month(call: Call, page: MonthPageQuery) -> MonthOut:
    """GET /months/{month}."""
    return await _month(call, call.month(), page)


async def read_earnings(call: Call) -> EarningsOut:
    """GET /earnings/{month}."""
    node, month, usd = call.node, call.month(), None
    sat = await statement.earnings_of(node.store, node.rules, call.member, month)
    if node.stablecoin:
        usd = await statement.earnings_of(node.store, node.stablecoin.rules, call.member, month)
    if sat is None and usd is None:
        raise NotFound(f"{month} is not closed yet: what it brings is known when it is")
    in_sat = {one.thing: one for one in (sat[1] if sat else ())}
    in_usd = {one.thing: one for one in (usd[1] if usd else ())}
    known = await statement.things_of(node.store, sorted(in_sat.keys() | in_usd.keys()))
    lines = [_earning(thing, in_sat.get(id_), in_usd.get(id_)) for id_, thing in known.items()]
    return EarningsOut(
        month=str(month),
        closed=sat is not None,
        earned_msat=sum(line.earned_msat for line in lines),
        digest=sat[0].digest if sat else None,
        things=lines,
        usd=_usd_earnings(usd, _file_id(call, month)),
    )


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
        share_msat=sat.split.share,
        share_with_one_more_msat=sat.one_more.share if isinstance(sat, OpenMonth) else None,
        commission_per_share_msat=sat.split.commission,
        carry_msat=sat.split.carry,
        digest=None if isinstance(sat, OpenMonth) else sat.digest,
        things=lines,
        usd=None if usd is None else _usd_month(usd, _file_id(call, usd.month)),
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


def _file_id(call: Call, month: Month) -> str | None:
    coin = call.node.stablecoin
    return None if coin is None else coin.file_id(month, call.member)


def _usd_month(usd: Seen, file_id: str | None) -> UsdMonthOut:
    return UsdMonthOut(
        closed=isinstance(usd, ClosedMonth),
        pot_units=usd.pot.units,
        flattrs=usd.split.flattrs,
        share_units=usd.split.share,
        share_with_one_more_units=usd.one_more.share if isinstance(usd, OpenMonth) else None,
        commission_per_share_units=usd.split.commission,
        carry_units=usd.split.carry,
        digest=None if isinstance(usd, OpenMonth) else usd.digest,
        file_id=None if isinstance(usd, OpenMonth) else file_id,
    )


def _earning(thing: Thing, sat: ThingEarning | None, usd: ThingEarning | None) -> EarningLine:
    return EarningLine(
        thing=thing.id,
        url=thing.url,
        title=thing.title,
        flattrs=sat.flattrs if sat else 0,
        earned_msat=sat.net if sat else 0,
        usd_flattrs=usd.flattrs if usd else 0,
        earned_units=usd.net if usd else 0,
    )


def _usd_earnings(usd: Earned | None, file_id: str | None) -> UsdEarningsOut | None:
    if usd is None:
        return None
    return UsdEarningsOut(
        earned_units=sum(one.net for one in usd[1]), digest=usd[0].digest, file_id=file_id
    )
