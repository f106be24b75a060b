"""Half of all creators hold what they are sent, and the others are paid all the same.

    python -m tests.hostile hold --n 200

Counted at the creators' wallet and in the paying lnd: at most 32 payments younger than what counts
as held, never two of one creator, and every honest creator is paid while all the others hold. Then
half of these let theirs go and half refuse: each is paid once, or waits and is paid later.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Final

from node.clock import ManualClock
from node.settlement.batch import HELD_AFTER_S
from node.settlement.payout import PayoutState
from node.wallet.lightning.simulated import Faults
from tests.hostile.bolt11_parts import take_apart
from tests.hostile.lnurl import MONTH
from tests.hostile.lnurl_answers import HONEST
from tests.hostile.lnurl_scene import PAYER, Scene, open_scene
from tests.hostile.lnurl_server import Behaviour, Talk, hash_of
from tests.hostile.printed import table

IN_FLIGHT_MAX: Final = 32
STEP_S: Final = 60
LOOK_S: Final = 0.01
MINUTES_MAX: Final = 300


@dataclass
class Figures:
    """What the holding came to."""

    honest: int
    holding: int
    minutes: int = 0
    """By the node's clock, until every honest creator was paid."""
    honest_paid: int = 0
    most_at_once: int = 0
    most_held: int = 0
    said: str = ""
    """What the node says about them."""
    ends: Counter[str] | None = None


async def hold(talk: Talk) -> None:
    """An honest invoice, whose payment is then held until the test lets it go."""
    if talk.step == "offer":
        await talk.honest()
        return
    text = talk.desk.invoice(talk.creator, talk.amount_msat)
    if not talk.desk.past:
        talk.desk.network.faults.hold.hashes.add(hash_of(take_apart(text)))
    await talk.json({"pr": text})


HOLDS: Final = Behaviour("holds what it is sent", "held", hold)


async def run(folder: Path, number: int, seed: int) -> Figures:
    """So many creators, of whom half hold. Raises AssertionError when a bound is broken."""
    clock = ManualClock(MONTH.starts_s + 3600)
    honest = replace(HONEST, shares_host=True)
    kinds = [honest, replace(HOLDS, shares_host=True)] * (number // 2)
    Random(seed).shuffle(kinds)
    creators = {f"creator{at}": kind for at, kind in enumerate(kinds)}
    figures = Figures(number // 2, number // 2)
    async with open_scene(folder, clock, creators, faults=Faults(payers={PAYER})) as scene:
        await scene.play(list(creators))
        watching = asyncio.create_task(_watch(scene, figures))
        wanted = {name for name, kind in creators.items() if kind is honest}
        while figures.honest_paid < figures.honest and figures.minutes < MINUTES_MAX:
            figures.said = await scene.round()
            paid = {
                n for n, one in (await scene.payouts()).items() if one.state is PayoutState.PAID
            }
            figures.honest_paid = len(paid & wanted)
            figures.minutes += STEP_S // 60
            clock.advance(STEP_S)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await scene.judge()
        await _let_go(scene, clock)
        figures.ends = await scene.judge()
    return figures


async def _watch(scene: Scene, figures: Figures) -> None:
    """Look at the paying lnd, again and again: what is out, and how old it is."""
    while True:
        now_us = scene.clock.now_us()
        held_us = HELD_AFTER_S * 1_000_000
        payments = scene.network._world.nodes[PAYER].payments.values()
        ages_us = [now_us - one.created_us for one in payments if one.locked_msat]
        young = sum(age_us < held_us for age_us in ages_us)
        figures.most_at_once = max(figures.most_at_once, young)
        figures.most_held = max(figures.most_held, len(ages_us))
        await asyncio.sleep(LOOK_S)


async def _let_go(scene: Scene, clock: ManualClock) -> None:
    """Half of the holders settle, half refuse; from then on they are honest."""
    scene.desk.past = {"": ""}
    for number, payment_hash in enumerate(scene.network.faults.hold.struck):
        (scene.network.release if number % 2 else scene.network.cancel)(payment_hash)
    for step_s in (31, 31, 90, 600, 31, 31, 1200, 31, 31, 3600, 31, 31):
        clock.advance(step_s)
        await scene.round()


def fine(figures: Figures) -> bool:
    """Whether every bound was kept."""
    return (
        figures.honest_paid == figures.honest
        and figures.most_at_once <= IN_FLIGHT_MAX
        and "held by their receivers" in figures.said
        and figures.ends == {"paid": figures.honest + figures.holding}
    )


def printed(figures: Figures) -> str:
    """The table."""
    rows = [
        ["honest creators", figures.honest],
        ["creators who hold", figures.holding],
        ["honest ones paid while the others hold", figures.honest_paid],
        ["minutes until then, by the node's clock", figures.minutes],
        [f"most in flight that are younger than {HELD_AFTER_S} s", figures.most_at_once],
        ["most in flight in all", figures.most_held],
        ["paid in the end, each once", (figures.ends or Counter())["paid"]],
    ]
    return f"{table(['holding', ''], rows)}\nthe node says: {figures.said}"
