"""The audit of the vault finds nothing in a month that was paid, and each lie, one by one.

A month is played on a real vault in this process: one creator is paid, one waits for an address and
gets it, one whom the token refuses. Every corruption is done to a copy of that database, or to the
chain, which is set back afterwards.
"""

from __future__ import annotations

import pytest
import pytest_asyncio

from node.devnet.evm import local_key
from node.devnet.evm_vault import DOLLAR, act
from node.errors import RailUnavailable
from node.flows.audits.audit import STOPPED, audit, stop_on_breach
from node.flows.audits.lines import State
from node.flows.audits.vault import vault_lines
from node.flows.vault.stablecoin import RAIL
from node.money import Asset
from node.store import leases
from node.wallet.stablecoin.calldata import (
    charge_calldata,
    open_month_calldata,
    transfer_calldata,
    withdraw_calldata,
)
from node.wallet.stablecoin.words import word
from tests.conftest import MONTH
from tests.flows.audits.played import on, open_copy, open_played_town

USD = Asset.USD
ONE_LOOP = pytest.mark.asyncio(loop_scope="module")
IDS = ["I4", "V1", "V2", "V3", "I8", "I13"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def played(tmp_path_factory):
    async with open_played_town(tmp_path_factory.mktemp("played")) as town:
        yield town


@pytest_asyncio.fixture(loop_scope="module")
async def twin(played, tmp_path):
    """The stablecoin of the played town on a copy of its database."""
    async with open_copy(played.world.store, tmp_path / "twin.sqlite") as store:
        yield on(store, played.coin)


@pytest_asyncio.fixture(loop_scope="module")
async def copy(twin):
    """The same without triggers, which forbid what a test does to it."""
    async with twin.money.store.write() as tx:
        names = await tx.rows("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for row in names:
            await tx.run(f"DROP TRIGGER {row.name}")
    return twin


@pytest_asyncio.fixture(loop_scope="module")
async def chain(played):
    """The chain, which is set back afterwards."""
    snapshot = await played.local.snapshot()
    yield played.local
    await played.local.restore(snapshot)


async def found(coin, state=State.BREACH):
    """The figures of the lines that are in this state."""
    lines = await vault_lines(coin.money.store, coin)
    return {line.id: line.figures for line in lines if line.state is state}


async def corrupt(coin, *statements, **values):
    async with coin.money.store.write() as tx:
        touched = [await tx.run(statement, **values) for statement in statements]
    assert touched[-1] != 0, "the test changes nothing"


@ONE_LOOP
async def test_a_month_that_is_paid_passes_with_every_figure(played):
    lines = await vault_lines(played.world.store, played.coin)
    assert [line.id for line in lines] == IDS
    assert [line for line in lines if line.state is not State.OK] == []
    figures = {line.id: line.figures for line in lines}
    # shut's 2.70 can be claimed; rita keeps 11, ron nothing.
    assert "liabilities 13.7 usd ≤ token 13.7 usd" in figures["I4"]
    assert figures["V1"] == "members' 11 usd = the vault's 11 usd"
    assert figures["V2"] == "wallet 11 usd, there is 11 usd = members' accounts 11 usd"
    assert "month 1: 12 usd charged, 12 usd distributed, commission 1.2 usd, 3 pay" in figures["I8"]
    assert "of it 2.7 usd wait at the node, paid" in figures["I8"]
    assert figures["V3"].startswith("1 of 2.7 usd from 0x")
    assert "in 5 transactions = expense" in figures["I13"]


@ONE_LOOP
async def test_the_whole_audit_says_it_of_both_assets(played):
    report = await audit(played.world.store, played.world.clock, None, played.coin)
    assert [line.id for line in report.lines][-6:] == IDS
    assert report.result == "pass"
    (month,) = [line for line in report.lines if line.law.startswith(f"{MONTH} usd the split")]
    assert "D=12 usd fee=1.2 usd (exactly 10 %)" in month.figures
    (balance,) = [line for line in report.lines if line.id == "I1"]
    assert "; usd " in balance.figures
    offline = await audit(played.world.store, played.world.clock, None)
    assert offline.unchecked == ("I3", "I7", "I13", "I4", "V1", "V2", "V3", "I8")
    assert offline.result == "pass"


@ONE_LOOP
async def test_a_published_file_with_another_figure_is_found(copy):
    async with copy.money.store.read() as tx:
        content = bytes(await tx.value("SELECT rows FROM close_part WHERE kind = 'file'"))
    lie = content.replace(b'"commission":1200000', b'"commission":1200001')
    assert lie != content
    await corrupt(copy, "UPDATE close_part SET rows = :lie WHERE kind = 'file'", lie=lie)
    broken = (await found(copy))["I8"]
    assert "not the one that was planned" in broken
    assert "is not a tenth" in broken


@ONE_LOOP
async def test_a_month_of_another_vault_is_named_and_not_compared(copy):
    await corrupt(copy, "UPDATE vault_month SET vault = '0x' || substr(vault, 3, 39) || '0'")
    warned = await found(copy, State.WARN)
    assert "another vault's" in warned["I8"]
    assert "by another hand" in (await found(copy))["I8"], "and the vault's own month is nobody's"


@ONE_LOOP
@pytest.mark.usefixtures("chain")
async def test_tokens_that_are_sent_to_the_node_are_a_warning(played, twin):
    await played.vault.mint(twin.signer.address, 5 * DOLLAR)
    more = await found(twin, State.WARN)
    assert "5 usd more than the books: somebody sent them" in more["V2"]
    assert await found(twin) == {}


@ONE_LOOP
async def test_tokens_that_are_sent_to_the_vault_are_nobodys_yet(played, twin, chain):
    ron = local_key("ron")
    await played.vault.mint(ron.address, 2 * DOLLAR)
    await act(chain, ron, played.vault.token, transfer_calldata(played.vault.address, 2 * DOLLAR))
    lines = {line.id: line for line in await vault_lines(twin.money.store, twin)}
    assert lines["I4"].state is State.OK
    assert "nobody's yet: 2 usd" in lines["I4"].figures
    assert lines["V2"].state is State.OK


@ONE_LOOP
async def test_a_charge_by_another_hand_is_found(played, twin, chain):
    """A thief of the key: a month that no close knows, of a member's whole pot."""
    await chain.jump_to((await chain.chain.latest()).time_s + 28 * 86_400)
    operator, rita = played.vault.operator, local_key("rita").address
    await played.vault.act(operator, open_month_calldata())
    await played.vault.act(operator, charge_calldata(2, [word(rita, 9 * DOLLAR)]))
    broken = await found(twin)
    assert "charged 9 usd by another hand" in broken["I8"]
    assert "2 usd in the vault, 11 usd in the books" in broken["V1"]
    assert "V2" not in broken, "it is still in the vault"


@ONE_LOOP
@pytest.mark.usefixtures("chain")
async def test_a_withdrawal_is_booked_before_it_is_compared(played, twin):
    rita = local_key("rita")
    await played.vault.act(rita, withdraw_calldata(DOLLAR, rita.address))
    lines = await vault_lines(twin.money.store, twin)
    assert [line for line in lines if line.state is not State.OK] == []
    assert "10 usd" in {line.id: line.figures for line in lines}["V1"]


@ONE_LOOP
async def test_a_chain_that_can_not_be_asked_leaves_its_lines_unchecked(copy, monkeypatch):
    async def away(*_args, **_named):
        raise RailUnavailable("no RPC answers")

    monkeypatch.setattr(type(copy.money.chain), "finalized", away)
    lines = await vault_lines(copy.money.store, copy)
    assert [line.state for line in lines] == [State.UNCHECKED] * 5 + [State.OK]
    assert all("no RPC answers" in line.figures for line in lines[:5])


@ONE_LOOP
async def test_a_chain_that_takes_back_what_was_final_is_a_breach(copy, chain):
    await corrupt(copy, "UPDATE chain_block SET hash = '0x' || substr(hash, 4) || '0'")
    await chain.mine()
    assert "another block" in (await found(copy))["V1"]


@ONE_LOOP
async def test_a_breach_stops_both_rails(copy, played):
    await corrupt(copy, "UPDATE vault_month SET gross = gross + 10")
    report = await audit(copy.money.store, played.world.clock, None, copy)
    assert report.result == "breach"
    assert await stop_on_breach(copy.money.store, played.world.clock, report)
    async with copy.money.store.read() as tx:
        stopped = await leases.stopped(tx, RAIL)
    assert stopped is not None
    assert stopped.startswith(STOPPED)
