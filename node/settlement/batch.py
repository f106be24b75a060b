"""Which payouts are tried in this round.

Oldest first, so that nobody is overtaken for ever; at most one per receiver at a time; never more
in flight than the rail allows; and only what fits into the money that is there, fees at their limit
included. What does not fit waits, and the round says so in words.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from node.ids import MemberId
from node.money import Amount
from node.settlement.attempt import Attempt, AttemptState
from node.settlement.payout import Payout, PayoutKind

HELD_AFTER_S: Final = 300
"""An attempt that has been out for so long is held by its receiver, and frees its place."""
HELD_MAX: Final = 256
"""So many may be held besides: a channel carries 483 (BOLT 2)."""
HELD_SHARE: Final = 5
"""And a fifth of the money that could be sent."""


@dataclass(frozen=True, slots=True)
class Round:
    """What is tried now, and what waits for money."""

    chosen: tuple[Payout, ...]
    short: tuple[Payout, ...]
    short_words: str


@dataclass(frozen=True, slots=True)
class Room:
    """How many attempts may be added now, and who holds the others."""

    places: int
    words: str


def choose(
    due: Sequence[Payout],
    *,
    busy: Collection[tuple[PayoutKind, MemberId]],
    places: int,
    spendable: Amount,
) -> Round:
    """Choose from `due`, which is oldest first.

    `busy`: receivers with an attempt in flight. `places`: how many attempts may be added.
    """
    chosen: list[Payout] = []
    short: list[Payout] = []
    taken = set(busy)
    left = spendable.units
    for payout in due:
        receiver = (payout.kind, payout.member)
        cost = payout.amount.units + payout.fee_limit.units
        if receiver in taken or len(chosen) >= places:
            continue
        if cost > left:
            short.append(payout)
            continue
        taken.add(receiver)
        left -= cost
        chosen.append(payout)
    return Round(tuple(chosen), tuple(short), _words(short, left, spendable))


def room_left(live: Sequence[Attempt], now_s: int, attempts_max: int, spendable: Amount) -> Room:
    """How many attempts may be added to those that are open, of `attempts_max` at once.

    Receivers who hold what they are sent cost the others no place, unless they are so many, or
    hold so much, that the channels would be filled: then each counts.
    """
    out = [one for one in live if one.state is not AttemptState.LIMBO]
    ages_s = [now_s - one.sent_s for one in out if one.sent_s is not None]
    held = [one for one in out if one.sent_s and now_s - one.sent_s >= HELD_AFTER_S]
    held_units = sum(one.amount.units + one.fee_limit.units for one in held)
    many = len(held) > HELD_MAX
    much = held_units * HELD_SHARE > spendable.units + held_units
    places = attempts_max - len(out) + (0 if many or much else len(held))
    words = ""
    if held:
        sum_ = Amount(held_units, spendable.asset)
        words = (
            f"{len(held)} payouts are held by their receivers, {sum_} with fees, the oldest for"
            f" {max(ages_s) // 60} minutes"
        )
    return Room(max(0, places), words)


def _words(short: Sequence[Payout], left: int, spendable: Amount) -> str:
    if not short:
        return ""
    needed = sum(payout.amount.units + payout.fee_limit.units for payout in short)
    return (
        f"{len(short)} payouts wait: they need {Amount(needed, spendable.asset)} with fees, and "
        f"{Amount(left, spendable.asset)} of {spendable} can still be sent. "
        "Add outbound liquidity to the node."
    )
