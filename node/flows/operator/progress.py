"""How far closes and payouts are: what changes from second to second while a month is paid."""

from __future__ import annotations

from dataclasses import dataclass

from node.flows.node import Node
from node.flows.operator.acts import RAILS
from node.flows.operator.overview import assets
from node.money import Asset
from node.settlement.payout import PayoutState
from node.store import closes, leases, payouts
from node.store.closes import Close


@dataclass(frozen=True, slots=True)
class Progress:
    """Payouts by asset and state, the newest close of each asset, and why nothing is sent."""

    payouts: dict[tuple[Asset, PayoutState], int]
    closes: list[Close]
    stopped: dict[str, str]


async def progress(node: Node) -> Progress:
    """Read it, in one transaction of a few small queries."""
    numbers: dict[tuple[Asset, PayoutState], int] = {}
    newest = []
    async with node.store.read() as tx:
        for asset in assets(node):
            counts = await payouts.counts(tx, asset)
            for state in PayoutState:
                numbers[asset, state] = counts.get(state, (0, 0))[0]
            newest += (await closes.all_of(tx, asset))[:1]
        reasons = {rail: await leases.stopped(tx, rail) for rail in RAILS}
    stopped = {rail: reason for rail, reason in reasons.items() if reason is not None}
    return Progress(numbers, newest, stopped)
