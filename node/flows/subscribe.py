"""Subscriptions: a flattr that repeats for 3, 6 or 12 months, this month's included.

It is stored and clicked at once; later months are flattred when they close (`flows/fold.py`),
unless the reader undid the thing in that month. Ending one leaves this month's flattr, which can be
undone by itself.
"""

from __future__ import annotations

from typing import Final

from node.clock import Clock, this_month
from node.errors import BadInput, Conflict, NotFound
from node.flows.flattr import Clicks
from node.ids import MemberId, ThingId
from node.store import things
from node.store.engine import Store
from node.store.things import Subscription, Thing

LENGTHS: Final = frozenset({3, 6, 12})
RUNNING_MAX: Final = 1000


async def subscribe(
    store: Store, clock: Clock, clicks: Clicks, member: MemberId, thing: Thing, months: int
) -> Subscription:
    """Flattr a thing now and in the months that follow. One that began this month is renewed.

    Raises BadInput, Conflict, Busy (then nothing repeats and nothing was flattred).
    """
    if months not in LENGTHS:
        raise BadInput("a subscription is for 3, 6 or 12 months")
    async with store.read() as tx:
        mine = await things.subscriptions_of(tx, member)
    if len([one for one in mine if one.ended_us is None]) >= RUNNING_MAX:
        raise Conflict(f"a member has at most {RUNNING_MAX} subscriptions")
    clicked = await clicks.flattr(member, thing, None, "")
    async with store.write("subscription.begin") as tx:
        await things.subscribe(tx, member, thing.id, clicked.month, months, clock.now_us())
        mine = await things.subscriptions_of(tx, member)
    return next(one for one in mine if (one.thing, one.first) == (thing.id, clicked.month))


async def unsubscribe(store: Store, clock: Clock, member: MemberId, thing: ThingId) -> None:
    """End the member's subscriptions to a thing. Raises NotFound when none runs."""
    async with store.write("subscription.end") as tx:
        if not await things.unsubscribe(tx, member, thing, clock.now_us()):
            raise NotFound("you have no running subscription to this thing")


def runs(clock: Clock, subscription: Subscription) -> bool:
    """Whether a subscription still flattrs."""
    return subscription.ended_us is None and subscription.last >= this_month(clock)
