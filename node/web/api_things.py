"""Things, claims, subscriptions, months, earnings."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from node.canonical import canonical_url
from node.clock import this_month
from node.errors import BadInput, NotFound
from node.flows import claim, look, statement, subscribe
from node.flows.statement import ClosedMonth, OpenMonth
from node.ids import MemberId, ThingId
from node.month import Month
from node.store.things import Subscription, Thing
from node.web.endpoint import Call
from node.web.models.base import PageQuery
from node.web.models.things import (
    ClaimOut,
    EarningLine,
    EarningsOut,
    FlattrLine,
    MonthOut,
    MonthPageQuery,
    SubscriptionIn,
    SubscriptionOut,
    SubscriptionsOut,
    ThingIn,
    ThingOut,
    ThingsOut,
    ThingUrlQuery,
)
from node.web.reading import row_id

_UNCLAIMED: Final = "nobody has claimed it yet: it waits for its owner, for up to three months"
_OWN: Final = "it is yours, or its owner is suspended"


async def add_thing(call: Call, asked: ThingIn) -> ThingOut:
    """POST /things."""
    thing = await claim.add_thing(call.node.store, call.node.clock, asked.url, asked.title)
    return _thing(thing, call.member)


async def read_thing(call: Call) -> ThingOut:
    """GET /things/{thing}."""
    thing = await claim.get_thing(call.node.store, ThingId(call.row_id("thing")))
    return _thing(thing, call.member)


async def find_thing(call: Call, asked: ThingUrlQuery) -> ThingOut:
    """GET /things?url=."""
    thing = await look.thing_by_url(call.node.store, canonical_url(asked.url))
    return _thing(thing, call.member)


async def list_mine(call: Call, page: PageQuery) -> ThingsOut:
    """GET /me/things."""
    after = 0 if page.after is None else _place(page.after)
    found = await look.things_of_owner(call.node.store, call.member, page.limit, ThingId(after))
    more = str(found[-1].id) if len(found) == page.limit else None
    return ThingsOut(items=[_thing(thing, call.member) for thing in found], next=more)


async def claim_thing(call: Call) -> ClaimOut:
    """POST /things/{thing}/claim."""
    node = call.node
    member = await look.member_of(node.store, call.member)
    thing = ThingId(call.row_id("thing"))
    result = await claim.claim(node.store, node.clock, node.fetcher, member.id, thing)
    call.desk.things.forget(thing)
    parts = urlsplit(result.thing.url)
    line = claim.claim_line(member.id, member.name)
    return ClaimOut(
        thing=_thing(result.thing, member.id),
        claimed=result.proved_by is not None,
        proved_by=result.proved_by,
        saw=list(result.saw),
        line=line,
        places=[
            f"{parts.scheme}://{parts.netloc}{claim.WELL_KNOWN}, as a line of its own",
            f'{result.thing.url}, as <meta name="flattr-node" content="{line}">',
        ],
    )


async def make_subscription(call: Call, asked: SubscriptionIn) -> SubscriptionOut:
    """POST /subscriptions."""
    node = call.node
    if (asked.thing is None) == (asked.url is None):
        raise BadInput("name one thing: by `thing`, its number, or by `url`")
    things = call.desk.things
    thing = await (things.by_url(asked.url) if asked.url else things.by_id(asked.thing or 0))
    made = await subscribe.subscribe(
        node.store, node.clock, node.clicks, call.member, thing, asked.months
    )
    return _subscription(call, made)


async def list_subscriptions(call: Call) -> SubscriptionsOut:
    """GET /subscriptions."""
    mine = await look.subscriptions_of(call.node.store, call.member)
    return SubscriptionsOut(items=[_subscription(call, one) for one in mine])


async def end_subscription(call: Call) -> SubscriptionsOut:
    """DELETE /subscriptions/{thing}."""
    thing = ThingId(call.row_id("thing"))
    await subscribe.unsubscribe(call.node.store, call.node.clock, call.member, thing)
    return await list_subscriptions(call)


async def read_month(call: Call, page: MonthPageQuery) -> MonthOut:
    """GET /month."""
    return await _month(call, this_month(call.node.clock), page)


async def read_that_month(call: Call, page: MonthPageQuery) -> MonthOut:
    """GET /months/{month}."""
    return await _month(call, call.month(), page)


async def read_earnings(call: Call) -> EarningsOut:
    """GET /earnings/{month}."""
    month = call.month()
    found = await statement.earnings_of(call.node.store, call.node.rules, call.member, month)
    if found is None:
        raise NotFound(f"{month} is not closed yet: what it brings is known when it is")
    close, earned = found
    known = await statement.things_of(call.node.store, [one.thing for one in earned])
    lines = [
        EarningLine(
            thing=one.thing,
            url=known[one.thing].url,
            title=known[one.thing].title,
            flattrs=one.flattrs,
            earned_msat=one.net,
        )
        for one in earned
    ]
    total = sum(line.earned_msat for line in lines)
    return EarningsOut(month=str(month), earned_msat=total, digest=close.digest, things=lines)


async def _month(call: Call, month: Month, page: MonthPageQuery) -> MonthOut:
    node = call.node
    found = await statement.month_of(node.store, node.clock, node.rules, call.member, month)
    marked = found.marked
    shown = [thing for thing in marked if thing > (page.after or 0)][: page.limit]
    known = await statement.things_of(node.store, shown)
    share = found.split.share
    lines = []
    for thing in shown:
        counts = thing in found.counted
        reason = None if counts else (_UNCLAIMED if known[thing].owner is None else _OWN)
        lines.append(
            FlattrLine(
                thing=thing,
                url=known[thing].url,
                title=known[thing].title,
                counts=counts,
                share_msat=share if counts else 0,
                why_not=reason,
            )
        )
    more = str(shown[-1]) if shown and shown[-1] != marked[-1] else None
    return _told_month(found, lines, more)


def _told_month(
    found: OpenMonth | ClosedMonth, lines: list[FlattrLine], more: str | None
) -> MonthOut:
    return MonthOut(
        month=str(found.month),
        closed=isinstance(found, ClosedMonth),
        seconds_left=found.seconds_left if isinstance(found, OpenMonth) else 0,
        pot_msat=found.pot.units,
        flattrs=found.split.flattrs,
        share_msat=found.split.share,
        share_with_one_more_msat=found.one_more.share if isinstance(found, OpenMonth) else None,
        commission_per_share_msat=found.split.commission,
        carry_msat=found.split.carry,
        digest=None if isinstance(found, OpenMonth) else found.digest,
        things=lines,
        next=more,
    )


def _subscription(call: Call, one: Subscription) -> SubscriptionOut:
    return SubscriptionOut(
        thing=one.thing,
        first_month=str(one.first),
        last_month=str(one.last),
        months=one.months,
        running=subscribe.runs(call.node.clock, one),
    )


def _thing(thing: Thing, member: MemberId) -> ThingOut:
    return ThingOut(
        id=thing.id,
        url=thing.url,
        title=thing.title,
        claimed=thing.owner is not None,
        mine=thing.owner == member,
    )


def _place(text: str) -> int:
    try:
        return row_id(text)
    except NotFound as error:
        raise BadInput("`after` is the `next` of the page before, as it was given") from error
