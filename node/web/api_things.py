"""Things, claims, subscriptions."""

from __future__ import annotations

from node.canonical import canonical_url
from node.errors import BadInput, NotFound
from node.flows import claim, look, subscribe
from node.flows.proofs import places_of
from node.ids import MemberId, ThingId
from node.store.things import Subscription, Thing
from node.web.api_sites import tell_place, tell_seen
from node.web.endpoint import Call
from node.web.models.base import PageQuery
from node.web.models.things import (
    ClaimOut,
    SubscriptionIn,
    SubscriptionOut,
    SubscriptionsOut,
    ThingIn,
    ThingOut,
    ThingsOut,
    ThingUrlQuery,
)
from node.web.reading import row_id


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
    claiming, thing = call.node.claiming, ThingId(call.row_id("thing"))
    call.desk.limits.count_look(call.member)
    result = await claim.claim(claiming, call.member, thing)
    call.desk.things.forget(thing)
    who = await claim.claimer(claiming, call.member)
    places = places_of(result.thing.url, who.line, who.nostr_keys)
    return ClaimOut(
        thing=_thing(result.thing, call.member),
        claimed=result.proved_by is not None,
        proved_by=result.proved_by,
        seen=[tell_seen(one) for one in result.seen],
        line=who.line,
        places=[tell_place(one) for one in places],
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
