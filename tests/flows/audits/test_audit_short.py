"""The audit of a month with readers who left finds nothing at any step: a breach stops rails."""

from __future__ import annotations

import pytest

from node import failpoints
from node.failpoints import FailpointHit
from node.flows.audits.lines import State
from node.flows.audits.vault import vault_lines
from node.store.engine import open_store
from tests.flows.vault.leavers import end_and_ask, leave, open_leavers

STEPS_MAX = 120


@pytest.fixture
async def town(tmp_path, clock):
    async with (
        open_store(f"sqlite:///{tmp_path / 'flattr.sqlite'}") as store,
        open_leavers(store, clock) as opened,
    ):
        yield opened


async def audited(town) -> dict[str, str]:
    """The words of each line, of which none is a breach."""
    lines = await vault_lines(town.world.store, town.coin)
    for line in lines:
        assert line.state not in {State.BREACH, State.UNCHECKED}, line
    return {line.id: line.figures for line in lines}


@pytest.mark.parametrize(
    "keeps",
    [{"rita": 7_000_037}, {"rita": 9, "ron": 0}, {"rita": 0, "ron": 0}],
    ids=["short", "only what no share took", "nothing"],
)
async def test_nothing_is_broken_at_any_step(town, keeps):
    await end_and_ask(town)
    for name, left in keeps.items():
        await leave(town, name, left)
        await audited(town)
    for _ in range(STEPS_MAX):
        done = await town.step()
        said = await audited(town)
        if done:
            break
        await town.local.mine()
        town.world.clock.advance(2)
    assert "taken out" not in said["V1"] + said["V2"]


async def test_what_is_in_suspense_is_a_warning_and_said(town):
    await end_and_ask(town)
    await leave(town, "rita", 7_000_037)
    lines = {line.id: line for line in await vault_lines(town.world.store, town.coin)}
    assert lines["V2"].state is State.WARN
    assert "2.999963" in lines["V2"].figures


async def test_a_charge_that_is_less_than_the_close_is_still_a_breach(town):
    await end_and_ask(town)
    await town.play()
    async with town.world.store.write() as tx:
        await tx.run("UPDATE close SET distributed = distributed - 10, carried = carried + 10")
    lines = {line.id: line for line in await vault_lines(town.world.store, town.coin)}
    assert lines["I8"].state is State.BREACH


@pytest.mark.parametrize("point", ["vault.collect.after_commit", "vault.limit.after_commit"])
@pytest.mark.parametrize("keeps", [{"rita": 9, "ron": 0}, {"rita": 7_000_037}])
async def test_a_kill_between_the_charge_and_its_booking_is_no_breach(town, point, keeps):
    await end_and_ask(town)
    for name, left in keeps.items():
        await leave(town, name, left)
    failpoints.arm({point: "raise"})
    try:
        with pytest.raises(FailpointHit):
            for _ in range(STEPS_MAX):
                await town.step()
                await town.local.mine()
                town.world.clock.advance(2)
    finally:
        failpoints.arm({})
    await audited(town)
