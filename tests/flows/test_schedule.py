"""The tasks of a serving node: how they wait, and what is said of them."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from node.errors import DatabaseAway
from node.flows import answers, fund, schedule
from node.flows.lease import take_lease
from node.flows.pay import Payer
from node.flows.schedule import open_schedule
from node.store import leases
from tests.simulation.scene import open_scene

WORK = 50
"""Transactions, each of which a task that does not wait would use for a try of its own."""


async def test_a_task_whose_lease_another_process_has_waits_before_it_tries_again(
    tmp_path, clock, monkeypatch
):
    tries: Counter[str] = Counter()
    plain = Payer.round

    async def counted(self):
        tries["pay"] += 1
        return await plain(self)

    monkeypatch.setattr(Payer, "round", counted)
    monkeypatch.setattr(schedule, "AGAIN_AFTER_S", 3600)
    async with open_scene(tmp_path, clock, creators=1) as scene:
        node = scene.node
        await take_lease(node.store, clock, node.rail.name, "another")
        async with asyncio.timeout(30), open_schedule(node):
            while not tries["pay"]:
                await asyncio.sleep(0.01)
            for _ in range(WORK):
                async with node.store.write() as tx:
                    await tx.run("UPDATE lease SET holder = holder")
    assert tries["pay"] == 1


@pytest.mark.parametrize(
    ("task", "room", "asks"),
    [
        ("watch", leases, "cursor"),
        ("sweep", fund, "catch_up"),
        ("fold", schedule, "fold"),
        ("months", schedule, "close_what_is_over"),
        ("pay", Payer, "round"),
        ("late", schedule, "watch_late"),
        ("audit", schedule, "audit_now"),
        ("tidy", answers, "forget_old"),
    ],
)
async def test_a_task_is_well_again_when_its_database_is_and_not_when_its_next_turn_is_over(
    tmp_path, clock, monkeypatch, task, room, asks
):
    is_away, plain = asyncio.Event(), getattr(room, asks)

    async def sometimes_away(*args):
        if is_away.is_set():
            raise DatabaseAway("the database can't do this now: database or disk is full")
        return await plain(*args)

    is_away.set()
    monkeypatch.setattr(schedule, "AGAIN_AFTER_S", 0.01)
    monkeypatch.setattr(room, asks, sometimes_away)
    async with open_scene(tmp_path, clock, creators=1) as scene:
        troubles = scene.node.health.troubles
        async with asyncio.timeout(15), open_schedule(scene.node, frozenset({task})):
            while task not in troubles:
                await asyncio.sleep(0.01)
            is_away.clear()
            while troubles:
                await asyncio.sleep(0.01)
