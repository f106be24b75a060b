"""The click window: what it shows of a thing and of who looks, and the click from there.

Looking makes no thing and marks nothing. The count that is shown has the looker's own click in it,
also while that still waits to be folded.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from node.clock import now_s, this_month
from node.errors import NotFound
from node.flows import claim, public, statement, subscribe
from node.flows.claim import TITLE_MAX
from node.flows.consents import origin_of
from node.flows.node import Node
from node.flows.public import Popularity
from node.flows.rules import Rules
from node.flows.statement import ClosedMonth
from node.ids import MemberId, ThingId
from node.money import Amount
from node.month import Month
from node.store import consents, flattrs, things
from node.store.engine import Tx
from node.store.things import Subscription, Thing

UNKNOWN: Final = "there is no such thing here: nobody has flattred it yet"


@dataclass(frozen=True, slots=True)
class Worth:
    """A pot, and what one flattr out of it comes to at the close, as it stands now."""

    pot: Amount
    each: Amount


@dataclass(frozen=True, slots=True)
class Mine:
    """What one member has to do with a thing, in the month that it is."""

    owns: bool
    flattred: bool
    counted: int
    """How many things would share the pots if the month ended now."""
    worths: tuple[Worth, ...]
    """One for each asset in which there is a pot; of the thing if it is flattred or once it is."""
    subscribed_until: Month | None
    one_click: bool
    """The member has consented to the site."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A thing as the window shows it. `thing`: None if nobody has named it yet."""

    url: str
    origin: str
    host: str
    """Of the site, with its port if that is an unusual one."""
    title: str
    thing: Thing | None
    flattrs: int
    waiting: int
    month: Month
    seconds_left: int
    mine: Mine | None


@dataclass(frozen=True, slots=True)
class _Pots:
    """A member's pots, what stands flattred, and how much of it counts."""

    worths: tuple[Worth, ...]
    marked: frozenset[ThingId]
    counted: int


_NO_POTS: Final = _Pots((), frozenset(), 0)


async def look(node: Node, url: str, title: str, member: MemberId | None) -> Seen:
    """A thing by its canonical URL. `title`: what the link called it, if the node has no title."""
    month = this_month(node.clock)
    async with node.store.read() as tx:
        thing = await things.by_url(tx, url)
    pots = _NO_POTS if member is None else await _pots(node, member, thing)
    async with node.store.read() as tx:
        found = None if thing is None else await public.popularity_in(tx, node.clock, thing)
        mine, unfolded = None, 0
        if member is not None:
            unfolded = await _unfolded(tx, member, month, thing, pots)
            mine = await _mine(tx, member, month, url, thing, pots)
    return Seen(
        url=url,
        origin=origin_of(url),
        host=origin_of(url).partition("://")[2],
        title=(thing.title if thing else "") or clean_title(title),
        thing=thing,
        flattrs=(found.flattrs if found else 0) + unfolded,
        waiting=_waiting(found, unfolded),
        month=month,
        seconds_left=max(0, month.ends_s - now_s(node.clock)),
        mine=mine,
    )


async def flattr(node: Node, member: MemberId, url: str, title: str) -> None:
    """Flattr a thing by its URL; it is made if it is new. Raises BadUrl, Conflict, Busy."""
    thing = await claim.add_thing(node.store, node.clock, url, clean_title(title))
    await node.clicks.flattr(member, thing, None, "")


async def undo(node: Node, member: MemberId, url: str) -> None:
    """Take the flattr of this month back. Raises NotFound, Busy."""
    await node.clicks.undo(member, await _known(node, url), None, "")


async def repeat(node: Node, member: MemberId, url: str, title: str, months: int) -> None:
    """Flattr a thing now and in the months that follow. Raises as `subscribe.subscribe`."""
    thing = await claim.add_thing(node.store, node.clock, url, clean_title(title))
    await subscribe.subscribe(node.store, node.clock, node.clicks, member, thing, months)


async def repeat_no_more(node: Node, member: MemberId, url: str) -> None:
    """End the subscriptions to a thing; this month's flattr stays. Raises NotFound."""
    await subscribe.unsubscribe(node.store, node.clock, member, (await _known(node, url)).id)


def clean_title(text: str) -> str:
    """A title as the node keeps it, made of what a link said: what can't be printed is left out."""
    printable = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(printable.split())[:TITLE_MAX].strip()


async def _known(node: Node, url: str) -> Thing:
    async with node.store.read() as tx:
        thing = await things.by_url(tx, url)
    if thing is None:
        raise NotFound(UNKNOWN)
    return thing


async def _pots(node: Node, member: MemberId, thing: Thing | None) -> _Pots:
    month, worths, pots = this_month(node.clock), [], _NO_POTS
    for rules in _all_rules(node):
        seen = await statement.month_of(node.store, node.clock, rules, member, month)
        if isinstance(seen, ClosedMonth):
            continue
        pots = _Pots((), frozenset(seen.marked), seen.split.flattrs)
        counts = thing is not None and thing.id in seen.counted
        share = seen.split.share if counts else seen.one_more.share
        if seen.pot:
            worths.append(Worth(seen.pot, Amount(share, rules.asset)))
    return replace(pots, worths=tuple(worths))


def _all_rules(node: Node) -> tuple[Rules, ...]:
    return (node.rules,) if node.stablecoin is None else (node.rules, node.stablecoin.rules)


async def _unfolded(
    tx: Tx, member: MemberId, month: Month, thing: Thing | None, pots: _Pots
) -> int:
    """By how much the counter is behind the member's own click: 1, 0 or -1."""
    if thing is None:
        return 0
    folded = (await flattrs.packed(tx, [(month, member)]))[month, member]
    return int(thing.id in pots.marked) - int(thing.id in folded.things)


async def _mine(
    tx: Tx,
    member: MemberId,
    month: Month,
    url: str,
    thing: Thing | None,
    pots: _Pots,
) -> Mine:
    subscribed = await things.subscriptions_of(tx, member) if thing else []
    return Mine(
        owns=thing is not None and thing.owner == member,
        flattred=thing is not None and thing.id in pots.marked,
        counted=pots.counted,
        worths=pots.worths,
        subscribed_until=_until(subscribed, thing, month),
        one_click=await consents.has(tx, member, origin_of(url)),
    )


def _until(subscribed: list[Subscription], thing: Thing | None, month: Month) -> Month | None:
    running = [
        one.last
        for one in subscribed
        if thing is not None
        and one.thing == thing.id
        and one.ended_us is None
        and one.last >= month
    ]
    return max(running, default=None)


def _waiting(found: Popularity | None, unfolded: int) -> int:
    """Flattrs that wait for an owner; 0 if the thing has one."""
    if found is None or found.thing.owner is not None:
        return 0
    return found.waiting + unfolded
