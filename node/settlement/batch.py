"""Which payouts are tried in this round.

Oldest first, so that nobody is overtaken for ever; at most one per receiver at a time; never more
in flight than the rail allows; and only what fits into the money that is there, fees at their limit
included. What does not fit waits, and the round says so in words.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from node.ids import MemberId
from node.money import Amount
from node.settlement.payout import Payout, PayoutKind


@dataclass(frozen=True, slots=True)
class Round:
    """What is tried now, and what waits for money."""

    chosen: tuple[Payout, ...]
    short: tuple[Payout, ...]
    short_words: str


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


def _words(short: Sequence[Payout], left: int, spendable: Amount) -> str:
    if not short:
        return ""
    needed = sum(payout.amount.units + payout.fee_limit.units for payout in short)
    return (
        f"{len(short)} payouts wait: they need {Amount(needed, spendable.asset)} with fees, and "
        f"{Amount(left, spendable.asset)} of {spendable} can still be sent. "
        "Add outbound liquidity to the node."
    )
