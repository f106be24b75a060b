"""What was held for 180 days goes back to the pots it came from (design.md §3.5).

Whom it came from is recomputed from the parts of that month's close: each reader's share for each
counted flattr on one of the creator's things. What is left is given back in that proportion, by
cumulative rounding, so that the parts sum to the whole. The commission was taken from the same
shares and stays where it is. Readers who have closed their accounts get nothing back: theirs
goes to the others, and if there are none, it stays the creator's to release.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Final

from node.flows.receipts import contributions
from node.flows.rules import Rules
from node.ids import MemberId
from node.ledger import bookings
from node.money import Amount
from node.month import Month
from node.store import held, journal, leaving, members
from node.store.closes import Close
from node.store.engine import Tx

WARN_BEFORE_S: Final = 30 * 86_400
NOTICE_S: Final = 14 * 86_400
"""Nothing goes back sooner after the notice, even when closes run late."""
NOTICE: Final = "held"


async def return_what_was_held_too_long(tx: Tx, close: Close, rules: Rules, now_us: int) -> None:
    """Give back what is older than the rule; warn creators whose money is about to go back."""
    now_s = now_us // 1_000_000
    for member, month, amount in await held.tranches(tx, close.asset, now_s - rules.held_s):
        told_us = await members.noticed_us(tx, member, NOTICE, str(month))
        if told_us is not None and told_us <= now_us - NOTICE_S * 1_000_000:
            await _give_back(tx, close, member, month, amount)
    for member, month, amount in await held.tranches(
        tx, close.asset, now_s - rules.held_s + WARN_BEFORE_S
    ):
        words = (
            f"{amount} that you earned in {month} goes back to its readers within 30 days. "
            "Pay your dues to receive it."
        )
        await members.notify(tx, member, NOTICE, str(month), words, now_us)


async def _give_back(tx: Tx, close: Close, member: MemberId, month: Month, amount: Amount) -> None:
    left = await leaving.closed_members(tx)
    came_from = [
        one for one in await contributions(tx, month, close.asset, member) if one.reader not in left
    ]
    if not came_from:
        return
    parts = pro_rata(amount.units, [one.units for one in came_from])
    to = [(one.reader, units) for one, units in zip(came_from, parts, strict=True)]
    entry = bookings.return_held(member, month, close.month.plus(1), close.asset, to)
    if await journal.append(tx, entry, close.frozen_us):
        await held.take_tranche(tx, close.asset, member, month)


def pro_rata(units: int, weights: Sequence[int]) -> list[int]:
    """`units` in proportion to `weights`, summing to `units` exactly: cumulative rounding."""
    total = sum(weights)
    bounds = [units * so_far // total for so_far in accumulate(weights)]
    return [after - before for before, after in zip([0, *bounds], bounds, strict=False)]
