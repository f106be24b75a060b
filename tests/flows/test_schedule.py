"""The tasks of a serving node: one whose work another process does waits, and takes nothing."""

from __future__ import annotations

import asyncio
from collections import Counter

from node.flows.lease import take_lease
from node.flows.pay import Payer
from node.flows.schedule import open_schedule
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
