"""Fold clicks out of the inbox into one packed row per member and month.

Each turn is one transaction: the clicks leave the inbox and stand in the packed rows, or nothing
happened. It runs when the clicks pause, when the inbox is long, and before a close.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from node.clock import Clock
from node.ids import MemberId, ThingId
from node.month import Month
from node.settlement.fold import PackedMonth
from node.store import flattrs, inbox, popularity, things
from node.store.engine import Store, Tx
from node.store.inbox import Click

CLICKS_A_TURN: Final = 50_000
DAYS_KEPT: Final = 8
"""For how many days the counters by day are kept, today's included."""
_KEY_BYTES: Final = 16
_DAY_US: Final = 86_400 * 1_000_000


async def fold(store: Store, clock: Clock, month: Month | None = None) -> int:
    """Fold what is in the inbox; how many clicks there were.

    Of one month: until none is left. Another process may be folding the same clicks; its turn is
    waited for, because a close that goes on must find every click folded.
    """
    total = 0
    while (folded := await _turn(store, clock, month)) is not None:
        total += folded
        if month is None and folded < CLICKS_A_TURN:
            break
    return total


async def fire_subscriptions(tx: Tx, month: Month) -> int:
    """Flattr what members are subscribed to in a month, unless undone in it; how many are new."""
    wanted = await things.subscribed_in(tx, month)
    rows = await flattrs.packed(tx, {(month, member) for member, _ in wanted})
    counts: Counter[ThingId] = Counter()
    for member, thing in wanted:
        counts[thing] += rows[month, member].subscribe(thing)
    await flattrs.put_packed(tx, rows)
    await things.add_counts(tx, [(thing, month, delta) for thing, delta in counts.items() if delta])
    return counts.total()


async def standing(tx: Tx, member: MemberId, month: Month) -> PackedMonth:
    """What a member's month comes to now: folded, not yet folded, and subscribed."""
    row = (await flattrs.packed(tx, [(month, member)]))[month, member]
    for thing, op in await inbox.clicks_of(tx, member, month):
        row.apply(thing, op)
    for _, thing in await things.subscribed_in(tx, month, member):
        row.subscribe(thing)
    return row


async def _turn(store: Store, clock: Clock, month: Month | None) -> int | None:
    """How many clicks were folded; None if there was none, 0 if another process took them."""
    async with store.write("fold") as tx:
        if not await inbox.waits(tx, month):
            return None
        clicks = await inbox.take(tx, CLICKS_A_TURN, month)
        fresh = await _without_repetitions(tx, clicks, clock.now_us())
        rows = await flattrs.packed(tx, {(click.month, click.member) for click in fresh})
        counts: Counter[tuple[ThingId, Month]] = Counter()
        for click in fresh:
            row = rows[click.month, click.member]
            counts[click.thing, click.month] += row.apply(click.thing, click.op)
        await flattrs.put_packed(tx, rows)
        changes = [(*key, delta) for key, delta in counts.items() if delta]
        await things.add_counts(tx, changes)
        await _add_today(tx, changes, clock.now_us() // _DAY_US)
    return len(clicks)


async def _add_today(tx: Tx, changes: Sequence[tuple[ThingId, Month, int]], today: int) -> None:
    """Count the changes on the day on which they are folded: that of the click, or soon after."""
    by_thing: Counter[ThingId] = Counter()
    for thing, _, delta in changes:
        by_thing[thing] += delta
    await popularity.add_days(tx, list(by_thing.items()), today)
    await popularity.forget_days(tx, today - DAYS_KEPT + 1)


async def _without_repetitions(tx: Tx, clicks: Sequence[Click], now_us: int) -> list[Click]:
    """Leave out clicks whose Idempotency-Key was used before, here or in an earlier turn.

    Another click under the same key is no repetition. Where that could be seen it was refused, and
    where it could not, another process has acknowledged it: it counts (docs/decisions/0021).
    """
    keyed = [
        (
            click.member,
            click.request[:_KEY_BYTES],
            click.request[_KEY_BYTES:],
            _within(click.month, now_us),
        )
        for click in clicks
        if click.request is not None
    ]
    unused = await flattrs.new_keys(tx, keyed)
    used = {(member, key) for member, key, _, _ in keyed} - unused
    before = await flattrs.keys_used(tx, list(used)) if used else {}
    seen = {(member, key + body) for (member, key), (body, _) in before.items()}
    fresh = []
    for click in clicks:
        if click.request is not None:
            if (click.member, click.request) in seen:
                continue
            seen.add((click.member, click.request))
        fresh.append(click)
    return fresh


def _within(month: Month, now_us: int) -> int:
    """Now, or the instant of the month that is closest to it."""
    return min(max(now_us, month.starts_s * 1_000_000), month.ends_s * 1_000_000 - 1)
