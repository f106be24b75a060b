"""Readers who leave before the charge: no step of it is a breach, and what is taken is named."""

from __future__ import annotations

import pytest

from node.devnet.evm import local_key
from node.devnet.evm_vault import DOLLAR
from node.flows.audits.audit import audit
from node.flows.audits.lines import State
from node.flows.audits.vault import vault_lines
from node.money import sats
from node.store.engine import open_store
from node.wallet.stablecoin.calldata import request_exit_calldata, withdraw_calldata
from tests.flows.vault.vault_town import open_town

STEPS_MAX = 150


@pytest.fixture
async def town(tmp_path, clock):
    """rita's ten dollars for two things, ron's three for one; the month is over, and split."""
    async with (
        open_store(f"sqlite:///{tmp_path / 'flattr.sqlite'}") as store,
        open_town(store, clock) as opened,
    ):
        world = opened.world
        await world.join("rita", "ron", "ann", "ben")
        for name in ("ann", "ben"):
            await world.thing(f"{name}'s", owner=name)
            await opened.target(name)
            await world.fund(name, sats(2000), to_pot=True, at_s=None)
            await world.flattr("rita", f"{name}'s")
        await opened.fill("rita", 20 * DOLLAR, 10 * DOLLAR)
        await opened.fill("ron", 6 * DOLLAR, 3 * DOLLAR)
        await world.flattr("ron", "ann's")
        for name in ("rita", "ron"):
            await opened.vault.act(await opened.local.funded(name), request_exit_calldata())
        await opened.end()
        await opened.close()
        yield opened


async def leave(town, name: str, keeps: int) -> None:
    signer = local_key(name)
    account = await town.vault.vault.account(signer.address)
    units = account.balance_units - keeps
    await town.vault.act(signer, withdraw_calldata(units, local_key("x").address))


@pytest.mark.parametrize(
    ("rita_keeps", "ron_keeps", "words"),
    [
        (7_000_037, 6 * DOLLAR, "10.000037 usd charged, 10.00002 usd distributed"),
        (4_000_038, 2_000_009, "6.000047 usd charged, 6.00002 usd distributed"),
        (7, 3, "0.00001 usd charged, 0 usd distributed"),
        (0, 3 * DOLLAR, "3 usd charged, 3 usd distributed"),
        (0, 0, "0 usd charged, 0 usd distributed"),
    ],
)
async def test_no_step_of_a_short_month_looks_like_a_breach(town, rita_keeps, ron_keeps, words):
    await leave(town, "rita", rita_keeps)
    if ron_keeps < 6 * DOLLAR:
        await leave(town, "ron", ron_keeps)
    store, named = town.world.store, set()
    for _ in range(STEPS_MAX):
        lines = {line.id: line for line in await vault_lines(store, town.coin)}
        broken = [line for line in lines.values() if line.state is State.BREACH]
        assert broken == [], town.said[-1:]
        named.add("taken out before it was charged" in lines["V2"].figures)
        if await town.step():
            break
        await town.local.mine()
        town.world.clock.advance(2)
    else:
        raise AssertionError(f"still under way: {town.said[-3:]}")
    assert True in named
    report = await audit(store, town.world.clock, None, town.coin)
    assert report.result == "pass", [x for x in report.lines if x.state is not State.OK]
    (month,) = [line for line in report.lines if line.id == "I8"]
    assert words in month.figures
