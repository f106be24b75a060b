"""Months for the operator: which wait, what a close would come to, and the difference to the last.

Nothing here closes anything: the schedule does, or `flattr-node close`.
"""

from __future__ import annotations

from dataclasses import dataclass

from node.clock import this_month
from node.errors import NotFound
from node.flows.close import Closing
from node.flows.forecast import Forecast, forecast
from node.flows.node import Node
from node.flows.operator.overview import assets
from node.flows.schedule import months_to_close
from node.ids import MemberId
from node.money import Amount, Asset
from node.month import Month
from node.settlement.month_split import THING_COLUMNS, by_creator, unpack
from node.store import approvals, closes, listings
from node.store.approvals import Approval
from node.store.closes import Close, Stage


@dataclass(frozen=True, slots=True)
class OpenMonth:
    """A month that is not closed to the end. `close`: how far it is; None while it is open."""

    month: Month
    asset: Asset
    over: bool
    close: Close | None
    approval: Approval | None


@dataclass(frozen=True, slots=True)
class Difference:
    """One creator in the dry run and in the month before. `waits`: why it would not be paid."""

    name: str
    now: Amount
    before: Amount
    waits: str | None

    @property
    def change(self) -> int:
        """Base units more than before; negative: less."""
        return self.now.units - self.before.units

    @property
    def change_amount(self) -> Amount:
        """How much more or less."""
        return Amount(abs(self.change), self.now.asset)


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a close would come to now. `before`: the last month that was closed, if there is one."""

    forecast: Forecast
    before: Close | None
    creators: list[Difference]


async def open_months(node: Node) -> list[OpenMonth]:
    """Months that are over and not closed, oldest first, then this one; in each asset."""
    found = []
    for asset in assets(node):
        over = await months_to_close(node.store, node.clock, asset)
        async with node.store.read() as tx:
            approved = await approvals.approved(tx, asset)
            for month in [*over, this_month(node.clock)]:
                close = await closes.get(tx, month, asset)
                is_over = month < this_month(node.clock)
                found.append(OpenMonth(month, asset, is_over, close, approved.get(month)))
    return found


async def dry_run(node: Node, asset: Asset, month: Month) -> DryRun:
    """Split a month as a close would, and compare. Raises Conflict for a closed month."""
    seen = await forecast(_closing(node, asset), month)
    async with node.store.read() as tx:
        done = [one for one in await closes.all_of(tx, asset) if _is_booked(one)]
        before = next((one for one in done if one.month < month), None)
        earned: dict[str, int] = {}
        if before is not None:
            parts = await closes.parts(tx, before.month, asset, "thing")
            creators, net = by_creator(unpack(b"".join(parts), len(THING_COLUMNS)))
            ids = [MemberId(one) for one in creators.tolist()]
            names = await listings.names(tx, ids)
            earned = {names[one]: units for one, units in zip(ids, net.tolist(), strict=True)}
    shares = {one.name: one for one in seen.creators}
    rows = [
        Difference(
            name,
            shares[name].net if name in shares else Amount(0, asset),
            Amount(earned.get(name, 0), asset),
            shares[name].waits if name in shares else None,
        )
        for name in {**shares, **earned}
    ]
    rows.sort(key=lambda one: (-one.now.units, -one.before.units, one.name))
    return DryRun(seen, before, rows)


async def closed_month(node: Node, asset: Asset, month: Month) -> Close:
    """A month whose close has begun. Raises NotFound."""
    async with node.store.read() as tx:
        close = await closes.get(tx, month, asset)
    if close is None:
        raise NotFound(f"{month} is not closed, and its close has not begun")
    return close


def _closing(node: Node, asset: Asset) -> Closing:
    return next(one for one in node.closings(lambda _: None) if one.rules.asset is asset)


def _is_booked(close: Close) -> bool:
    return close.stage.number >= Stage.BOOKED.number
