"""A serving node audits itself, by the clock and before it closes a month; a breach stops it."""

from __future__ import annotations

import asyncio

import pytest

from node.flows.audits.audit import audit
from node.flows.audits.lines import State
from node.flows.schedule import audit_now, close_what_is_over, open_schedule
from node.store import leases, operator_figures
from tests.conftest import MONTH
from tests.simulation.scene import open_scene

BREAK = "UPDATE deposit SET paid_units = paid_units + 1"


async def _stopped(scene):
    async with scene.node.store.read() as tx:
        return [await leases.stopped(tx, rail) for rail in ("lightning", "stablecoin")]


async def test_a_breach_stops_both_rails_and_is_said_of_the_node(tmp_path, clock):
    async with open_scene(tmp_path, clock, creators=1) as scene:
        await scene.play()
        assert (await audit_now(scene.node)).result == "pass"
        assert "books" not in scene.node.health.troubles
        async with scene.node.store.write() as tx:
            await tx.run(BREAK)
        assert (await audit_now(scene.node)).result == "breach"
        assert all("I10 deposits" in (reason or "") for reason in await _stopped(scene))
        assert "I10" in scene.node.health.troubles["books"]
        await scene.pay([1])
        assert scene.network.settled("creator0") == []
        async with scene.node.store.read() as tx:
            kept = await operator_figures.last_audit(tx)
        assert kept is not None
        assert (kept.result, "I10" in kept.words) == ("breach", True)


async def test_it_runs_by_itself_when_the_node_serves(tmp_path, clock):
    async with open_scene(tmp_path, clock, creators=1) as scene:
        await scene.play()
        async with scene.node.store.write() as tx:
            await tx.run(BREAK)
        async with asyncio.timeout(30), open_schedule(scene.node):
            while "books" not in scene.node.health.troubles:
                await asyncio.sleep(0.01)
        assert all(await _stopped(scene))


async def test_it_runs_before_a_month_is_closed(tmp_path, clock):
    async with open_scene(tmp_path, clock, creators=1) as scene:
        await scene.fill()
        clock.set(MONTH.ends_s + 60)
        assert await close_what_is_over(scene.node, lambda _: None) == [MONTH]
        async with scene.node.store.read() as tx:
            assert (await operator_figures.last_audit(tx)) is not None


@pytest.mark.parametrize(
    ("newest", "words"), [(1, "(the newest 1 compared)"), (9, "settled in lnd")]
)
async def test_only_the_newest_deposits_are_compared_by_itself(tmp_path, clock, newest, words):
    async with open_scene(tmp_path, clock, creators=1) as scene:
        await scene.fill()
        await scene.fill(5000)
        report = await audit(scene.node.store, clock, scene.node.lnd, deposits_max=newest)
        line = next(one for one in report.lines if one.id == "I10")
        assert (line.state, words in line.figures) == (State.OK, True)
