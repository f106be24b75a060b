"""kill -9 of the serving node under a storm of clicks: `python -m tests.storage clicks`.

What was acknowledged is in the month once, and what was undone is not; a kill comes after a number
of clicks that is drawn at random, and one in ten before the node serves again, in its own recovery.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Final

from node.clock import SystemClock
from node.flows import join
from node.flows.fold import fold
from node.month import Month
from node.store import checks, flattrs, things
from node.store.engine import Store, open_store
from node.wallet.lightning.simulated import open_simulated_network
from tests.storage.lives import Serving, settle
from tests.storage.storm import Pair, Storm

ACKNOWLEDGED_LIMIT_S: Final = 900
BEFORE_IT_SERVES: Final = 0.1
MEMBERS: Final = 1000


@dataclass(frozen=True, slots=True)
class ClickRun:
    """What is asked for."""

    kills: int
    in_flight: int
    lines: int
    seed: int
    say: Callable[[str], None] = print


@dataclass
class ClickReport:
    """What came of it. `wrong`: every breach, in words; empty is what must be."""

    acknowledged: int
    repeated: int
    unanswered: int
    busy: int
    kills: int
    early_kills: int
    seconds: float
    wrong: list[str] = field(default_factory=list)


async def run_clicks(folder: Path, database: str, run: ClickRun) -> ClickReport:
    """Storm and kill; then compare what stands with what was acknowledged."""
    random = Random(run.seed)
    began = perf_counter()
    async with open_simulated_network(folder / "net", {"node": 0}) as network:
        lndconnect = network.nodes["node"].lndconnect
        port = settle(folder / "node", database, lndconnect)
        pairs = (run.kills + 2) * run.in_flight * 2
        async with open_store(database) as store:
            tokens, numbers = await people(store, min(MEMBERS, 20 + run.in_flight // 10), pairs)
        storm = Storm(tokens, numbers, run.lines, run.in_flight, random)
        early = await _lives(folder / "node", port, storm, run)
    async with open_store(database) as store:
        wrong = await judge_clicks(store, storm)
    seen = storm.seen
    return ClickReport(
        storm.acknowledged, seen["repeated"], seen["unanswered"], seen["busy"], run.kills, early,
        perf_counter() - began, wrong,
    )  # fmt: skip


async def people(store: Store, members_wanted: int, pairs: int) -> tuple[list[str], list[int]]:
    """Members' tokens, and things enough for so many pairs of a member and a thing."""
    clock = SystemClock()
    made = await asyncio.gather(
        *(join.join(store, clock, f"member{n}") for n in range(members_wanted))
    )
    async with store.write() as tx:
        numbers = [
            int(await things.add(tx, f"https://example.org/{n}", "example.org", "", clock.now_us()))
            for n in range(-(-pairs // members_wanted))
        ]
    return [new.secret for _, new in made], numbers


async def _lives(folder: Path, port: int, storm: Storm, run: ClickRun) -> int:
    """One life after the other, each killed; the last one answers everything."""
    early = 0
    for kill in range(run.kills):
        life = Serving(folder, port)
        try:
            if kill and storm.random.random() < BEFORE_IT_SERVES:
                early += 1
                await asyncio.sleep(storm.random.uniform(0.0, 0.6))
            else:
                await life.until_serving()
                await storm.connect(port)
                more = storm.random.randint(1, run.in_flight // 4)
                await storm.until_acknowledged(storm.acknowledged + more, ACKNOWLEDGED_LIMIT_S)
        finally:
            life.kill()
        if (kill + 1) % 10 == 0:
            run.say(f"{kill + 1} kills, {storm.acknowledged} clicks acknowledged")
    life = Serving(folder, port)
    try:
        await life.until_serving()
        await storm.connect(port)
        await storm.until_over(ACKNOWLEDGED_LIMIT_S)
        storm.hang_up()
        assert await life.end() == 0, life.said()
    finally:
        life.kill()
    return early


async def judge_clicks(store: Store, storm: Storm) -> list[str]:
    """What was answered wrongly, and what stands or is counted and was not acknowledged so."""
    if len(storm.months_seen) != 1:
        over = f"the storm went over a month's end: {sorted(storm.months)}. Run it again"
        return [*storm.wrong, over]
    (month,) = storm.months_seen
    await fold(store, SystemClock(), month)
    wanted = {pair for pair, stands in storm.stands.items() if stands}
    async with store.read() as tx:
        breaches = await checks.breaches(tx, deep=True)
        rows = await tx.rows("SELECT id, name FROM member WHERE name LIKE 'member%'")
        places = {int(row.id): int(row.name.removeprefix("member")) for row in rows}
        packed = await flattrs.packed(tx, [(month, member) for member in places])
        counts = await things.counts_of_many(tx, storm.things)
    thing_places = {number: place for place, number in enumerate(storm.things)}
    found: set[Pair] = {
        (places[member], thing_places[thing])
        for (_, member), row in packed.items()
        for thing in row.things
    }
    wrong = [f"acknowledged and lost: {pair}" for pair in sorted(wanted - found)[:10]]
    wrong += [f"undone and there, or never asked: {pair}" for pair in sorted(found - wanted)[:10]]
    wrong += [str(breach) for breach in breaches] + _miscounted(storm, wanted, counts, month)
    return [*storm.wrong, *wrong]


def _miscounted(storm: Storm, wanted: set[Pair], counts: dict, month: Month) -> list[str]:
    clicks = dict.fromkeys(range(len(storm.things)), 0)
    for _, thing in wanted:
        clicks[thing] += 1
    return [
        f"thing {storm.things[place]} is counted {counted} times, and stands {number} times"
        for place, number in clicks.items()
        if (counted := counts.get(storm.things[place], {}).get(month, 0)) != number
    ][:10]
