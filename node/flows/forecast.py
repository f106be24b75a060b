"""What a close would come to now, creator by creator, and why some of it would wait."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from node.flows.close import Closing, preview
from node.flows.dues import dues_paid_by
from node.flows.waits import why_it_waits
from node.ids import MemberId
from node.ledger.accounts import Kind
from node.money import Amount, Asset
from node.month import Month
from node.settlement.month_split import by_creator
from node.store import closes, listings, members
from node.store.engine import Tx


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
        targets = await members.targets(tx, asset)
        suspended = await members.suspended(tx)
        payers = await dues_paid_by(tx, month, rules.dues, closing.others)
        before = await _from_before(tx, asset)
    paying = creators if payers is None else creators[np.isin(creators, payers)]
    pay_dues, now_us = set(paying.tolist()), closing.clock.now_us()
    shares = []
    for number, units in zip(creators.tolist(), net.tolist(), strict=True):
        member, amount = MemberId(number), Amount(units, asset)
        waits = why_it_waits(
            rules, amount, Amount(before[number], asset), targets.get(member), now_us,
            pays_dues=number in pay_dues, suspended=member in suspended,
        )  # fmt: skip
        shares.append(CreatorShare(names[member], amount, waits))
    shares.sort(key=lambda one: (-one.net.units, one.name))
    return Forecast(
        month, Amount(split.pots, asset), Amount(split.distributed, asset),
        Amount(split.commission, asset), Amount(split.carried, asset), split.readers,
        split.flattrs, tuple(shares),
    )  # fmt: skip


async def _from_before(tx: Tx, asset: Asset) -> Counter[int]:
    """What each creator has earned before and was not paid, or is held; in base units."""
    found: Counter[int] = Counter()
    for kind in (Kind.EARNED, Kind.HELD):
        holders, units = await closes.balances(tx, kind, asset)
        found.update(dict(zip(holders.tolist(), units.tolist(), strict=True)))
    return found
