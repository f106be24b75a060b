"""What a close would come to now, creator by creator, and why some of it would wait."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from node.flows.close import Closing, preview
from node.flows.open_payouts import held_reason
from node.ids import MemberId
from node.money import Amount
from node.month import Month
from node.settlement.month_split import by_creator
from node.store import closes, listings, members

DUES_WORDS: Final = "the dues are not paid by a pot of this month"
SMALL_WORDS: Final = "below the minimum payout: it stays the creator's"


@dataclass(frozen=True, slots=True)
class CreatorShare:
    """What one creator would earn. `waits`: why it would not be paid at once; None if it would."""

    name: str
    net: Amount
    waits: str | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """A month that is not closed yet, split as it stands."""

    month: Month
    pots: Amount
    distributed: Amount
    commission: Amount
    carried: Amount
    readers: int
    flattrs: int
    creators: tuple[CreatorShare, ...]


async def forecast(closing: Closing, month: Month) -> Forecast:
    """Split the month as a close would. Nothing is stored. Raises Conflict for a closed month."""
    split, rules = (await preview(closing, month)).split, closing.rules
    creators, net = by_creator(split.things())
    asset = rules.asset
    async with closing.store.read() as tx:
        names = await listings.names(tx, [MemberId(one) for one in creators.tolist()])
        targets = await members.targets(tx, rules.asset)
        suspended = await members.suspended(tx)
        with_pot, pots = await closes.pots(tx, month, rules.asset)
    paying = {int(m) for m in with_pot[pots >= rules.dues.units]} if rules.dues else None
    shares = []
    for number, units in zip(creators.tolist(), net.tolist(), strict=True):
        member, amount = MemberId(number), Amount(units, asset)
        reason: str | None = held_reason(
            targets.get(member), member in suspended, closing.clock.now_us()
        )
        if paying is not None and member not in paying:
            reason = DUES_WORDS
        elif amount < rules.payout_min or not amount.whole_coins()[0]:
            reason = SMALL_WORDS
        shares.append(CreatorShare(names[member], amount, reason))
    shares.sort(key=lambda one: (-one.net.units, one.name))
    return Forecast(
        month, Amount(split.pots, asset), Amount(split.distributed, asset),
        Amount(split.commission, asset), Amount(split.carried, asset), split.readers,
        split.flattrs, tuple(shares),
    )  # fmt: skip
