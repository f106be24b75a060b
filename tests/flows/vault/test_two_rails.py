"""One month on both rails: pots in either, creators paid on one, the other, both, none."""

from __future__ import annotations

import pytest

from node import failpoints
from node.devnet.evm import jump, local_key
from node.devnet.evm_vault import DOLLAR, act, set_blocked_calldata
from node.errors import Conflict, NotFound, RailUnavailable
from node.flows.audits.audit import audit
from node.flows.audits.lines import State
from node.flows.close import Closing
from node.flows.earnings.estimate import Estimates
from node.flows.forecast import forecast
from node.flows.vault import chain_money
from node.flows.vault.attribute import attribute, stray_in
from node.flows.vault.pay import CLAIMABLE
from node.flows.vault.reseal import reseal
from node.flows.waits import DUES_WORDS
from node.ledger import accounts
from node.ledger.accounts import Kind
from node.money import Amount, Asset, sats
from node.settlement import vault_file
from node.settlement.payout import HeldReason, PayoutState
from node.store import checks, closes, payouts, vault_months
from node.wallet.stablecoin.calldata import transfer_calldata, veto_calldata
from node.wallet.stablecoin.events import MonthSealed
from tests.conftest import MONTH
from tests.flows.vault.vault_town import CREATORS, open_town
from tests.killed import points_of

USD = Asset.USD


async def test_report_and_ledger_are_right_to_the_unit(town):
    world = town.world
    before = {name: await town.has(local_key(name).address) for name in ("both", "coin", "idle")}
    await town.end()
    await world.close(MONTH)
    await world.pay_until_quiet()
    await town.play()
    # rita: 10 dollars over five things, 2.00 each, 1.80 to each creator; ron: 3.00, 2.70 to both.
    assert await _figures(world, USD) == (13 * DOLLAR, 13 * DOLLAR, 1_300_000, 0)
    assert await _figures(world, Asset.SAT) == (18_000_000, 10_000_000, 1_000_000, 8_000_000)
    await _demand_published(town)
    arrived = {name: await town.has(local_key(name).address) - before[name] for name in before}
    assert arrived == {"both": 4_500_000, "coin": 1_800_000, "idle": 0}
    assert await town.has(town.coin.treasury) == 1_300_000
    assert await town.has(town.coin.signer.address) == 3 * 1_800_000  # light's, none's and idle's
    assert await town.has(town.vault.address) == (20 - 10) * DOLLAR
    found = await town.payouts()
    states = {name: found[world.members[name]].state for name in CREATORS[:-1]}
    assert states == {
        "both": PayoutState.PAID, "coin": PayoutState.PAID,
        "light": PayoutState.HELD, "none": PayoutState.HELD,
    }  # fmt: skip
    assert found[world.members["light"]].reason == HeldReason.NO_TARGET
    assert await town.units(accounts.held(USD, world.members["idle"])) == 1_800_000
    assert await town.units(accounts.wallet(USD)) == 10 * DOLLAR + 3 * 1_800_000
    assert await town.units(accounts.commission(USD)) == 0
    assert await town.units(accounts.expense(Asset.ETH, "gas")) > 0
    report = await audit(world.store, world.clock, None, town.coin)
    of_vault = [line for line in report.lines if line.law.startswith(f"{MONTH} the vault")]
    assert of_vault
    # The fake rail has none of what an lnd would be asked for.
    assert {x.id for x in report.lines if x.state is not State.OK} == {"I3", "I7", "I13"}


async def _demand_published(town) -> None:
    """What was sealed is the file, and a stranger finds nothing wrong with it."""
    async with town.world.store.read() as tx:
        month = await vault_months.get(tx, MONTH)
        assert await checks.breaches(tx, deep=True) == []
        (content,) = await closes.parts(tx, MONTH, USD, "file")
    assert (month.gross, month.number) == (13 * DOLLAR, 1)
    latest = await town.local.chain.latest()
    logs = await town.local.chain.logs(town.vault.address, 0, latest.number)
    (seal,) = [e for _, e in town.vault.vault.events(logs) if isinstance(e, MonthSealed)]
    assert seal.data_hash == vault_file.file_hash(content)
    assert vault_file.verify(content, seal.data_hash, seal.root) == []


async def _figures(world, asset) -> tuple[int, int, int, int]:
    async with world.store.read() as tx:
        figures = (await closes.get(tx, MONTH, asset)).figures
    return figures.pots, figures.distributed, figures.commission, figures.carried


async def test_the_dry_run_knows_dues_that_are_paid_in_the_other_asset(town):
    world = town.world
    closing = Closing(
        world.store, world.clock, town.coin.rules, town.said.append, town.coin, (world.rules,)
    )
    seen = {one.name: one.waits for one in (await forecast(closing, MONTH)).creators}
    assert seen == {  # nobody of them has a pot in the vault: their dues are 2000 sat
        "both": None, "coin": None, "light": HeldReason.NO_TARGET, "none": HeldReason.NO_TARGET,
        "idle": DUES_WORDS,
    }  # fmt: skip
    for name, waits in seen.items():
        estimate = await Estimates().of(closing, world.members[name])
        assert estimate.waits == waits, name


async def test_what_waited_is_paid_from_the_nodes_address_when_its_reason_is_gone(town):
    world = town.world
    await town.end()
    await town.play()
    address = await town.target("light")
    await town.play()
    assert await town.has(address) == 1_800_000
    assert await town.has(town.coin.signer.address) == 2 * 1_800_000
    paid = (await town.payouts())[world.members["light"]]
    assert paid.state is PayoutState.PAID
    await town.play()
    assert await town.has(address) == 1_800_000, "paid again"


async def test_a_creator_whom_the_token_refuses_can_claim_and_nobody_waits(town):
    blocked = local_key("coin").address
    await act(town.local, town.vault.owner, town.vault.token, set_blocked_calldata(blocked, True))
    await town.end()
    await town.play()
    found = await town.payouts()
    coin = found[town.world.members["coin"]]
    assert (coin.state, coin.reason) == (PayoutState.PAID, CLAIMABLE)
    assert await town.vault.vault.claimable(blocked) == 1_800_000
    assert found[town.world.members["both"]].reason is None
    assert await town.has(local_key("both").address) == 4_500_000


async def test_a_month_waits_until_its_end_is_final_on_the_chain(town):
    town.world.clock.set(MONTH.ends_s)
    with pytest.raises(RailUnavailable):
        await town.close()
    async with town.world.store.read() as tx:
        assert await closes.get(tx, MONTH, USD) is None


async def test_after_a_veto_nothing_is_paid_until_a_person_seals_again(store, clock):
    async with open_town(store, clock, delay_s=3600) as town:
        world = town.world
        await world.join("rita", "coin")
        await world.thing("coin's", owner="coin")
        await world.fund("coin", sats(2000), to_pot=True, at_s=None)
        await town.fill("rita", 10 * DOLLAR, 10 * DOLLAR)
        address = await town.target("coin")
        await world.flattr("rita", "coin's")
        await town.end()
        await _step_until(town, "sealed; payable")
        with pytest.raises(Conflict):
            await reseal(town.coin, MONTH)
        await town.vault.act(town.vault.guardian, veto_calldata(1))
        await _step_until(town, "vetoed by the guardian")
        assert "reseal" in (await town.payer().round()).trouble, "health says it too"
        await jump(town.local, 7200)
        await town.step()
        assert await town.has(address) == 0
        await reseal(town.coin, MONTH)
        town.said.clear()
        await _step_until(town, "sealed; payable")
        await jump(town.local, 3700)
        await town.play()
        assert await town.has(address) == 9 * DOLLAR
        async with store.read() as tx:
            assert await checks.breaches(tx, deep=True) == []


async def _step_until(town, words: str) -> None:
    for _ in range(40):
        await town.step()
        if any(words in said for said in town.said):
            return
        await town.local.mine()
    raise AssertionError(f"{words}: never said, but {town.said[-3:]}")


MOVES = points_of("vault.collect", "vault.plan", "vault.settle", "vault.transfer")
ONLY_SAYS = points_of("chain.lower", "vault.ask", "vault.finish")
KILLED = MOVES | ONLY_SAYS


@pytest.mark.parametrize("point", sorted(MOVES))
async def test_a_kill_at_every_failpoint_charges_once_and_pays_once(town, point):
    await _play_through_a_kill(town, point)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("point", sorted(ONLY_SAYS))
async def test_a_kill_where_nothing_moves_changes_nothing(town, point):
    await _play_through_a_kill(town, point)


async def _play_through_a_kill(town, point: str) -> None:
    await town.end()
    failpoints.arm({point: "raise"})
    try:
        await town.play()
        address = await town.target("light")
        await town.play()
    finally:
        failpoints.arm({})
    assert town.lives == 1, f"{point} was not passed"
    assert await town.has(address) == 1_800_000
    assert await town.has(local_key("both").address) == 4_500_000
    assert await town.has(town.coin.treasury) == 1_300_000
    assert await town.has(town.vault.address) == 10 * DOLLAR
    async with town.world.store.read() as tx:
        assert await checks.breaches(tx, deep=True) == []
        assert await payouts.in_state(tx, USD, PayoutState.IN_FLIGHT, 1) == []
        assert (await closes.balances(tx, Kind.EARNED, USD))[1].sum() == 0


async def test_a_plain_transfer_is_given_to_its_sender_once(town):
    world, coin = town.world, town.coin
    await town.vault.mint(local_key("rita").address, 7 * DOLLAR)
    sent = await act(
        town.local, local_key("rita"), coin.token,
        transfer_calldata(town.vault.address, 7 * DOLLAR),
    )  # fmt: skip
    assert await chain_money.surplus(coin.money) == Amount(7 * DOLLAR, USD)
    stray = await stray_in(coin, sent.tx_hash)
    assert (stray.sender, stray.amount.units) == (local_key("rita").address, 7 * DOLLAR)
    before = await town.units(accounts.available(USD, world.members["rita"]))
    assert await attribute(coin, stray, world.members["rita"]) == stray.sender
    await attribute(coin, stray, world.members["rita"])
    with pytest.raises(Conflict):
        await attribute(coin, stray, world.members["ron"])
    with pytest.raises(NotFound):
        await attribute(coin, stray, world.members["light"])
    for _ in range(8):
        await town.payer().round()
        await town.local.mine()
    await chain_money.read(coin.money)
    assert not await chain_money.surplus(coin.money)
    gained = await town.units(accounts.available(USD, world.members["rita"])) - before
    assert gained == 7 * DOLLAR
    assert await chain_money.differences(coin.money, {}) == []


async def test_a_deposit_and_a_stranger_s_transfer_are_given_to_nobody(town):
    nothing = await act(
        town.local, town.vault.owner, town.coin.token,
        transfer_calldata(local_key("ron").address, 0),
    )  # fmt: skip
    for tx_hash in (nothing.tx_hash, "0x" + "ab" * 32):
        with pytest.raises(NotFound):
            await stray_in(town.coin, tx_hash)
    deposit = await town.vault.deposit(await town.local.funded("ron"), DOLLAR)
    with pytest.raises(Conflict):
        await stray_in(town.coin, deposit.tx_hash)
