"""At no step of a month on the vault does the audit find what is not there; a theft it does find.

Between two steps the chain has often done what the books don't say yet, or the other way round.
"""

from __future__ import annotations

import pytest

from node import failpoints
from node.devnet.evm import local_key
from node.devnet.evm_vault import DOLLAR, act
from node.failpoints import FailpointHit
from node.flows.audits.lines import Line, State
from node.flows.audits.vault import vault_lines
from node.flows.vault import months as vault_month
from node.settlement.payout import PayoutState
from node.store.engine import open_store
from node.wallet.stablecoin.calldata import transfer_calldata
from tests.flows.audits.vault_audit_town import block, settle_in
from tests.flows.vault.vault_town import Town, open_town

STEPS_MAX = 150
KILLS = (
    "vault.collect.after_commit", "vault.plan.after_commit", "vault.settle.before_commit",
    "vault.settle.after_commit", "vault.transfer.after_commit", "chain.mined.after_commit",
)  # fmt: skip


@pytest.fixture
async def town(tmp_path, clock):
    async with (
        open_store(f"sqlite:///{tmp_path / 'flattr.sqlite'}") as store,
        open_town(store, clock) as opened,
    ):
        yield opened


async def audited(town: Town) -> dict[str, Line]:
    """The lines by their name; of the months the last one."""
    lines = await vault_lines(town.world.store, town.coin)
    assert [line for line in lines if line.state is State.BREACH] == []
    return {line.id: line for line in lines}


async def walk(town: Town) -> set[str]:
    """Step by step to the end, with an audit after each; the terms that the wallet had."""
    seen: set[str] = set()
    for _ in range(STEPS_MAX):
        try:
            done = await town.step()
        except FailpointHit:
            town.lives += 1
            town.world.clock.advance(3600)
            done = False
        lines = await audited(town)
        assert lines["V2"].state is State.OK, lines["V2"].figures
        warned = [line for line in lines.values() if line.state is not State.OK]
        assert [line.figures for line in warned if "not booked yet" not in line.figures] == []
        seen |= {
            term
            for term in ("the open month", "paid and not booked", "claimable by it", "at 0x")
            if term in lines["V2"].figures
        }
        if done:
            assert warned == []
            return seen
        await town.local.mine()
        town.world.clock.advance(2)
    raise AssertionError(f"still under way: {town.said[-3:]}")


async def test_no_step_of_a_month_looks_like_a_breach(store, clock):
    async with open_town(store, clock) as town:
        await settle_in(town)
        await town.end()
        assert await walk(town) == {"the open month", "paid and not booked", "at 0x"}
        address = await town.target("none")
        assert "at 0x" in await walk(town)
        assert await town.has(address) == 2_700_000


async def test_a_month_in_many_batches_is_compared_word_by_word(town, monkeypatch):
    monkeypatch.setattr(vault_month, "WORDS_MAX", 1)
    await settle_in(town)
    await town.end()
    assert "paid and not booked" in await walk(town)
    assert "3 payments in 3 batches" in (await audited(town))["I8"].figures


async def test_a_treasury_and_a_node_that_the_token_refuses_have_claimables(town):
    await settle_in(town)
    await block(town, town.coin.treasury)
    await block(town, town.coin.signer.address)
    await town.end()
    assert "claimable by it" in await walk(town)
    assert await town.vault.vault.claimable(town.coin.treasury) == 1_200_000
    assert "claimable by it 2.7 usd" in (await audited(town))["V2"].figures


@pytest.mark.parametrize("point", KILLS)
async def test_a_kill_between_two_steps_does_not_look_like_a_breach(town, point):
    await settle_in(town)
    await town.end()
    failpoints.arm({point: "raise"})
    try:
        await walk(town)
        await town.target("none")
        await walk(town)
    finally:
        failpoints.arm({})
    assert town.lives == 1, f"{point} was not passed"


async def test_what_the_key_takes_of_what_waits_is_missed(town):
    await settle_in(town)
    await town.end()
    await town.play()
    found = (await town.payouts())[town.world.members["none"]]
    assert found.state is PayoutState.HELD
    thief = transfer_calldata(local_key("thief").address, DOLLAR)
    await act(town.local, town.vault.operator, town.vault.token, thief)
    lines = {line.id: line for line in await vault_lines(town.world.store, town.coin)}
    assert lines["V2"].state is State.BREACH
    assert "1 usd are not there" in lines["V2"].figures
    assert lines["I4"].state is State.OK, "the vault itself was not touched"
