"""Why what a creator earns would not be paid at once, judged once for whoever looks before a close.

The dry run reads all creators, the estimate one; both judge here, by the rules of the close: the
dues of the month in any asset (`dues.py`), the minimum of all that would be paid together, and what
holds up each payout (`open_payouts.py`).
"""

from __future__ import annotations

from typing import Final

from node.flows.open_payouts import held_reason, smallest_payable
from node.flows.rules import Rules
from node.money import Amount
from node.store.members import StoredTarget

DUES_WORDS: Final = "the dues are not paid by a pot of this month"
SMALL_WORDS: Final = "below the minimum payout: it stays the creator's"


def why_it_waits(
    rules: Rules, net: Amount, before: Amount, target: StoredTarget | None, now_us: int,
    *, pays_dues: bool, suspended: bool,
) -> str | None:  # fmt: skip
    """The reason in words, or a HeldReason; None: it would be paid at once.

    `net` is what the month brings the creator; `before` what is earned or held from earlier months,
    all of which a close pays with it once the dues are paid. `pays_dues` is true without dues.
    """
    if not pays_dues:
        return DUES_WORDS
    if (net + before).units < max(rules.payout_min.units, smallest_payable(rules.asset)):
        return SMALL_WORDS
    return held_reason(target, suspended, now_us)
