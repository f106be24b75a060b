"""Every behaviour of a creator's server, each once: the table of what becomes of its payout.

python -m tests.hostile lnurl              the table, then a batch of 5,000 payouts
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from node.clock import ManualClock
from node.month import Month
from node.settlement.payout import Payout, PayoutState
from node.wallet.hosts import FetchLimits
from tests.hostile.lnurl_answers import ANSWERS, HONEST
from tests.hostile.lnurl_invoices import INVOICES
from tests.hostile.lnurl_scene import Scene, open_scene
from tests.hostile.lnurl_server import EITHER, Behaviour
from tests.hostile.printed import table

BEHAVIOURS: Final = {f"creator{n}": one for n, one in enumerate((HONEST, *INVOICES, *ANSWERS))}
MONTH: Final = Month(2026, 11)
USED: Final = "used before"
PAID: Final = frozenset({"paid", "retried", EITHER})
ROUNDS_MAX: Final = 8


@dataclass
class Row:
    """What one behaviour came to."""

    behaviour: Behaviour
    became: str
    fine: bool


async def run(folder: Path, limits: FetchLimits | None = None) -> list[Row]:
    """Play a month with all of them. Raises AssertionError for a wrong or reused invoice."""
    clock = ManualClock(MONTH.starts_s + 3600)
    async with open_scene(folder, clock, BEHAVIOURS, limits=limits) as scene:
        await scene.play([name for name, one in BEHAVIOURS.items() if USED in one.must])
        await scene.round()
        scene.desk.past = {key: scene.desk.good[key] for key, _, _ in scene.dispatched()}
        scene.desk.asked.clear()
        await scene.play(list(BEHAVIOURS))
        first = await _all_tried(scene)
        asked = dict(scene.desk.asked)
        clock.advance(61)
        await scene.round()
        second = await scene.payouts()
        await scene.judge()
    return [
        _row(one, first[name], second[name], asked.get((name, "invoice"), 0))
        for name, one in BEHAVIOURS.items()
    ]


async def _all_tried(scene: Scene) -> dict[str, Payout]:
    """Rounds until each was tried once, for on a busy machine lnd may not answer in time."""
    found: dict[str, Payout] = {}
    for _ in range(ROUNDS_MAX):
        await scene.round()
        found = await scene.payouts()
        if all(one.reason or one.state is PayoutState.PAID for one in found.values()):
            break
    return found


def _row(behaviour: Behaviour, first: Payout, second: Payout, asked: int) -> Row:
    paid = second.state is PayoutState.PAID
    reason = (first.reason or "") if first.state is not PayoutState.PAID else ""
    became = (
        "paid"
        if first.state is PayoutState.PAID
        else f"{'paid later' if paid else 'waits'}: {reason}"
    )
    refused = first.state is PayoutState.DUE and not paid
    match behaviour.must:
        case "paid":
            fine = first.state is PayoutState.PAID and asked == 1
        case "retried":
            fine = paid and bool(reason)
        case must if must == EITHER:
            fine = paid or USED in reason
        case words:
            fine = refused and re.search(words, reason) is not None
    return Row(behaviour, became, fine and reason.isprintable())


def printed(rows: list[Row]) -> str:
    """The table."""
    lines = [
        [row.behaviour.name, row.behaviour.must, row.became[:100], "" if row.fine else "WRONG"]
        for row in rows
    ]
    return table(["the server", "must", "became", ""], lines)
