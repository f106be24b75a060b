"""What a creator hears of pay day: what was paid, what is held, and notices about being paid.

A payout has no time at which it became held, so that is found from what holds it:

    another target      when it was set
    suspended           since when
    no route, a fault   the newest attempt, and no sooner than its tries have taken by themselves
    no target           it was opened so

Each thing told has one name for ever, of its row and its state: who was told that a payout is held
is told anew when it is paid. The time of the row is part of the name, since two nodes may have a
payout of one id, and a feed reader knows both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from node.ids import MemberId
from node.settlement.payout import HeldReason
from node.settlement.retry import waited_s
from node.store import held, history, members
from node.store.engine import Store, Tx
from node.store.held import HeldMonth
from node.store.history import PayoutRecord
from node.store.members import Notice

Told: TypeAlias = PayoutRecord | HeldMonth | Notice
_SECOND_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class News:
    """One thing to tell. `id`: its name for ever; `at_us`: when it became so."""

    id: str
    at_us: int
    told: Told


async def news_of(store: Store, member: MemberId, limit: int) -> list[News]:
    """The newest of a member's payments that were made or are held, and of the notices on them."""
    async with store.read() as tx:
        found = [
            *await _payouts(tx, member, await history.paid_or_held(tx, member, limit)),
            *(_of_month(member, one) for one in await held.of_member(tx, member, limit)),
            *(_of_notice(one) for one in await members.money_notices_of(tx, member, limit)),
        ]
    return sorted(found, key=lambda one: (-one.at_us, one.id))[:limit]


async def _payouts(tx: Tx, member: MemberId, found: Sequence[PayoutRecord]) -> list[News]:
    tried_us = await history.last_tried_us(tx, member)
    told = []
    for one in found:
        since_us = one.paid_us or await _held_us(tx, member, one, tried_us.get(one.id, 0))
        name = f"payout:{one.id}:{one.created_us}:{one.state.value}"
        told.append(News(name, max(one.created_us, since_us), one))
    return told


async def _held_us(tx: Tx, member: MemberId, one: PayoutRecord, tried_us: int) -> int:
    if one.reason == HeldReason.TARGET_CHANGED:
        target = await members.target_of(tx, member, one.asset)
        return target.set_us if target else 0
    if one.reason == HeldReason.SUSPENDED:
        who = await members.get(tx, member)
        return (who.suspended_us or 0) if who else 0
    # After the last of its tries nothing was waited for.
    return max(tried_us, one.created_us + waited_s(one.tries - 1) * _SECOND_US)


def _of_month(member: MemberId, one: HeldMonth) -> News:
    name = f"held:{one.month}:{one.amount.asset.value}:{member}:{one.since_s}"
    return News(name, one.since_s * _SECOND_US, one)


def _of_notice(one: Notice) -> News:
    return News(f"notice:{one.kind}:{one.ref}:{one.created_us}", one.created_us, one)
