"""What the audit computes again from every posting, every hash and every month.

It takes as long as all the rest, so it runs beside that, on a connection of its own:

    queries, sums and payments ── one moment of the books ──┐
    hashes, names, months, the file ── one moment, too ─────┴─▶ the lines

Both are laws that hold at every moment, so it need not be the same one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from node.flows.audits.lines import Line
from node.flows.audits.months import month_line
from node.money import Asset
from node.month import Month
from node.store import checks, closes, soundness
from node.store.checks import Breach
from node.store.closes import Close
from node.store.engine import Store


@dataclass(frozen=True, slots=True)
class Recomputed:
    """What was found."""

    breaches: Sequence[Breach]
    months: Sequence[Line]
    unsound: Sequence[str]
    """What is wrong with the database itself."""


async def recompute(store: Store) -> Recomputed:
    """Compute everything again. Raises DatabaseAway."""
    async with store.read() as tx:
        closed = [one for asset in (Asset.SAT, Asset.USD) for one in await closes.all_of(tx, asset)]
        return Recomputed(
            breaches=await checks.recomputed(tx),
            months=[await month_line(tx, one) for one in sorted(closed, key=_by_asset_and_month)],
            unsound=await soundness.unsound(tx),
        )


def _by_asset_and_month(close: Close) -> tuple[bool, Month]:
    return close.asset is not Asset.SAT, close.month
