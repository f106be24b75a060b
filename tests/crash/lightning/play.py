"""A seed's months, from the first click to quiet.

month    bursts of acts, days apart, with rounds of the payer among them
close    by one node or by two that race, until it is done
pay      rounds, seconds to hours apart, while lnd and machines have their troubles
quiet    the faults end; rounds until every payout has ended or waits for a named reason
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from node.flows import fund, schedule
from node.flows.fold import fold
from node.flows.node import Node
from node.money import Asset
from node.month import Month
from node.settlement.payout import Payout, PayoutState
from node.store import closes, payouts
from node.store.closes import Stage
from tests.crash.lightning.calls import Answer, call
from tests.crash.lightning.events import events, release_held, visit
from tests.crash.lightning.host import Host
from tests.crash.lightning.network import NODE, OTHER
from tests.crash.lightning.people import ACTS, opening
from tests.crash.lightning.scene import MONTH, Scene
from tests.crash.lightning.weather import FAULTS_LEAST

BURSTS: Final = (2, 3)
ACTS_A_BURST: Final = (3, 6)
GAPS_S: Final = (0.0, 0.0, 0.003, 0.2, 2.0)
ROUND_GAPS_S: Final = (0.0, 2.0, 31.0, 61.0, 130.0, 700.0, 3700.0)
ROUNDS: Final = (4, 7)
RACING_GAPS_S: Final = (2.0, 31.0, 31.0, 61.0, 61.0, 130.0)
RACING_ROUNDS: Final = (9, 13)
"""Enough to bury a payment and to make another while the other node stands still."""
TRIES_MAX: Final = 60
AWAY_EVERY: Final = 8
"""Of so many steps the other lnd answers in half, in a row, if it has ever paid."""
_MAY_CHANGE: Final = frozenset({PayoutState.DUE, PayoutState.IN_FLIGHT})
QUIET_STEPS_S: Final = (
    *(31.0,) * 8, *(130.0,) * 4, *(700.0,) * 4, *(3700.0,) * 8, *(43_300.0,) * 16,
)  # fmt: skip


async def play(scene: Scene) -> None:
    """All of it."""
    await opening(scene)
    scene.weather.begin()
    months = scene.random.choice((1, 1, 2))
    for number in range(months):
        month = MONTH.plus(number)
        await _month(scene, month)
        await _close(scene, month)
        await _pay(scene)
    await _enough(scene)
    scene.weather.end()
    scene.say("the faults have ended")
    await _quiet(scene)


def _hosts(scene: Scene) -> Sequence[Host]:
    return scene.hosts if "second_node" in scene.weather.chances else scene.hosts[:1]


async def _month(scene: Scene, month: Month) -> None:
    draw = scene.random
    for _ in range(draw.randint(*BURSTS)):
        tasks = []
        for _ in range(draw.randint(*ACTS_A_BURST)):
            act = draw.choice(ACTS)
            tasks.append(asyncio.create_task(act(scene, draw.choice(_hosts(scene))), name="act"))
            await asyncio.sleep(draw.choice(GAPS_S))
        tasks.append(asyncio.create_task(events(scene), name="events"))
        if draw.random() < 0.5:
            tasks.append(asyncio.create_task(_round(scene, draw.choice(_hosts(scene)))))
        if draw.random() < 0.3:
            await call(scene, draw.choice(_hosts(scene)), "fold", lambda n: fold(n.store, n.clock))
        await asyncio.gather(*tasks)
        await _sleep_until(scene, draw.uniform(0, 6 * 86_400), month.ends_s - 5000)
    await _sleep_until(scene, 10**9, month.ends_s - draw.choice((-1, 1)))
    last = [asyncio.create_task(draw.choice(ACTS)(scene, scene.hosts[0])) for _ in range(2)]
    await _sleep_until(scene, 10**9, month.ends_s + 1)
    await asyncio.gather(*last)


async def _sleep_until(scene: Scene, seconds: float, latest_s: float) -> None:
    """Sleep so long, but not beyond a date."""
    now_s = scene.hosts[0].clock.begins_s + scene.now_s
    await asyncio.sleep(max(0.0, min(seconds, latest_s - now_s)))


async def _close(scene: Scene, month: Month) -> None:
    for number in range(TRIES_MAX):
        closing = [_close_once(scene, host) for host in _hosts(scene)]
        await asyncio.gather(*closing)
        host = scene.hosts[0]
        answer = await call(scene, host, "look", lambda n: _stage(n, month))
        if answer.value is Stage.CHECKED:
            return
        if number > TRIES_MAX // 2:
            scene.weather.end()
        await asyncio.sleep(scene.random.choice((1.0, 20.0)))
    scene.breaches.append(f"waits: {month} is not closed after {TRIES_MAX} tries")


async def _stage(node: Node, month: Month) -> Stage | None:
    async with node.store.read() as tx:
        close = await closes.get(tx, month, Asset.SAT)
    return None if close is None else close.stage


async def _close_once(scene: Scene, host: Host) -> Answer:
    await asyncio.sleep(scene.random.choice(GAPS_S))
    return await call(
        scene, host, "close", lambda node: schedule.close_what_is_over(node, lambda _: None)
    )


async def _round(scene: Scene, host: Host) -> None:
    answer = await call(scene, host, "round", lambda node: node.payer.round())
    if answer.failed == "LeaseLost":
        scene.weather.struck["second_node"] += 1
    if answer.value is not None:
        report = answer.value
        scene.say(
            f"{host.name}: settled {report.settled} refused {report.refused}"
            f" pending {report.pending} sent {report.sent} postponed {report.postponed}"
        )


async def _pay(scene: Scene) -> None:
    troubles = asyncio.create_task(events(scene), name="events")
    hosts = [asyncio.create_task(_rounds(scene, host), name="rounds") for host in _hosts(scene)]
    await asyncio.gather(troubles, *hosts)


async def _rounds(scene: Scene, host: Host) -> None:
    """What one node does for some hours; the other does the same meanwhile."""
    draw, races = scene.random, len(_hosts(scene)) > 1
    rounds, gaps_s = (RACING_ROUNDS, RACING_GAPS_S) if races else (ROUNDS, ROUND_GAPS_S)
    for _ in range(draw.randint(*rounds)):
        await _round(scene, host)
        if draw.random() < 0.2:
            await draw.choice(ACTS)(scene, host)
        if draw.random() < 0.2:
            await call(scene, host, "late", schedule.watch_late)
        release_held(scene, every=False)
        await asyncio.sleep(draw.choice(gaps_s))


async def _enough(scene: Scene) -> None:
    """Kill the node in rounds until enough has gone wrong."""
    for _ in range(FAULTS_LEAST):
        if scene.weather.count().total() >= FAULTS_LEAST:
            return
        scene.weather.owed = 1
        await _round(scene, scene.hosts[0])


async def _quiet(scene: Scene) -> None:
    host = scene.hosts[0]
    await scene.hosts[1].stop()
    for number, step_s in enumerate(QUIET_STEPS_S):
        release_held(scene, every=True)
        away = scene.lnds[OTHER].node.payments and number % AWAY_EVERY >= AWAY_EVERY // 2
        await visit(scene, OTHER if away else NODE)
        await _round(scene, host)
        await call(scene, host, "catch up", lambda node: fund.catch_up(node.funding))
        await call(scene, host, "fold", lambda node: fold(node.store, node.clock))
        answer = await call(scene, host, "payouts", all_payouts)
        if not any(payout.state in _MAY_CHANGE for payout in answer.value):
            break
        await asyncio.sleep(step_s)
    await visit(scene, NODE)


async def all_payouts(node: Node) -> list[Payout]:
    """Every payout of the database."""
    async with node.store.read() as tx:
        found = [await payouts.in_state(tx, Asset.SAT, state, 1000) for state in PayoutState]
    return [payout for part in found for payout in part]
