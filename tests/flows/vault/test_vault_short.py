"""A reader who leaves between the month's end and the charge costs the own creators, and nobody."""

from __future__ import annotations

import pytest

from node.devnet.evm import local_key
from node.devnet.evm_vault import DOLLAR
from node.flows import close, split
from node.flows.vault import chain_money
from node.ids import refund_id
from node.ledger import accounts
from node.money import sats
from node.settlement.payout import PayoutKind, PayoutState
from node.store import payouts
from node.wallet.stablecoin.calldata import request_exit_calldata, set_pot_calldata
from tests.conftest import MONTH
from tests.flows.vault.leavers import (
    IN_FULL,
    USD,
    act,
    arrived,
    end_and_ask,
    judge,
    leave,
    open_leavers,
)


@pytest.fixture
async def town(store, clock):
    async with open_leavers(store, clock) as opened:
        yield opened


@pytest.mark.parametrize("read", [False, True], ids=["unread", "read"])
async def test_one_who_leaves_costs_the_own_creators_and_gets_back_what_no_share_took(town, read):
    await end_and_ask(town)
    await leave(town, "rita", 7_000_037)
    if read:
        await chain_money.read(town.coin.money)
        assert await town.units(accounts.suspense(USD)) == 2_999_963
        assert await chain_money.differences(town.coin.money, {}) == []
    await town.play()
    gross, figures = await judge(town)
    # rita: three shares of 2.33334 of 7.000037, and 17 units that no share took; ron: 3.00.
    assert figures == (10_000_037, 10_000_020, 1_000_002, 17)
    assert gross == 10_000_037
    assert await arrived(town) == {
        "rita": 16, "ron": 0, "ann": 2_100_006 + 2_700_000, "ben": 2_100_006, "cat": 2_100_006,
    }  # fmt: skip
    assert await town.has(town.coin.treasury) == gross // 10 == 1_000_003
    assert await town.has(town.vault.address) == 3 * DOLLAR
    async with town.world.store.read() as tx:
        back = await payouts.get(tx, refund_id(MONTH, town.world.members["rita"], USD))
    assert (back.kind, back.state, back.amount.units) == (
        PayoutKind.WITHDRAWAL, PayoutState.PAID, 16,
    )  # fmt: skip


@pytest.mark.parametrize("part", [1, split.READERS_A_PART])
async def test_both_leave_and_the_tenth_of_what_goes_back_is_of_the_sum(town, monkeypatch, part):
    monkeypatch.setattr(split, "READERS_A_PART", part)
    await end_and_ask(town)
    await leave(town, "rita", 4_000_038)
    await leave(town, "ron", 2_000_009)
    await town.play()
    gross, figures = await judge(town)
    # rita: 3 * 1_333_340 and 18; ron: 2_000_000 and 9; a tenth of 27 is 2.
    assert (gross, figures) == (6_000_047, (6_000_047, 6_000_020, 600_002, 27))
    assert await arrived(town) == {
        "rita": 18 - 1, "ron": 9 - 1, "ann": 3_000_006, "ben": 1_200_006, "cat": 1_200_006,
    }  # fmt: skip
    assert await town.has(town.coin.treasury) == 600_002 + 2
    assert await town.has(town.vault.address) == 0


async def test_one_who_takes_everything_gives_nothing_and_the_others_are_paid(town):
    await end_and_ask(town)
    await leave(town, "rita", 0)
    await town.play()
    gross, figures = await judge(town)
    assert (gross, figures) == (3 * DOLLAR, (3 * DOLLAR, 3 * DOLLAR, 300_000, 0))
    assert await arrived(town) == {
        "rita": 0, "ron": 0, "ann": 2_700_000, "ben": 0, "cat": 0,
    }  # fmt: skip
    found = await town.payouts()
    assert town.world.members["ben"] not in found, "nothing is no payout"


async def test_when_all_take_everything_the_month_ends_and_the_next_one_is_charged(town):
    await end_and_ask(town)
    await leave(town, "rita", 0)
    await leave(town, "ron", 0)
    await town.play()
    assert await judge(town) == (0, (0, 0, 0, 0))
    assert await town.payouts() == {}
    await town.vault.deposit(await town.local.funded("ron"), 2 * DOLLAR, 0)
    await chain_money.read(town.coin.money)
    await town.world.flattr("ron", "ben's")
    await town.world.fund("ben", sats(2000), to_pot=True, at_s=None)
    december = MONTH.plus(1)
    await town.end(december)
    await town.play(december)
    gross, _ = await judge(town, december)
    assert gross == 2 * DOLLAR
    assert await town.has(local_key("ben").address) == 1_800_000


async def test_less_than_a_share_can_hold_goes_back_whole_but_for_the_tenth(town):
    await end_and_ask(town)
    await leave(town, "rita", 9)
    await leave(town, "ron", 0)
    await town.play()
    assert await judge(town) == (9, (9, 0, 0, 9))
    assert await arrived(town) == {"rita": 9, "ron": 0, "ann": 0, "ben": 0, "cat": 0}
    assert await town.has(town.coin.treasury) == 0


async def test_a_pot_that_is_lowered_after_the_month_is_charged_as_it_is_then(town):
    await end_and_ask(town)
    await act(town, "rita", set_pot_calldata(4_500_000))
    await town.play()
    gross, figures = await judge(town)
    assert (gross, figures) == (7_500_000, (7_500_000, 7_500_000, 750_000, 0))
    rita = town.world.members["rita"]
    async with town.world.store.read() as tx:
        assert await chain_money.books_units(tx, rita) == 20 * DOLLAR - 4_500_000
    assert (await arrived(town))["rita"] == 0


async def test_who_takes_no_more_than_the_carry_is_charged_in_full(town):
    await town.vault.deposit(await town.local.funded("rita"), 7, 10 * DOLLAR + 7)
    await act(town, "rita", request_exit_calldata())
    await chain_money.read(town.coin.money)
    await end_and_ask(town)
    await leave(town, "rita", 9_999_990)
    await chain_money.read(town.coin.money)
    assert await town.units(accounts.suspense(USD)) == 17
    await town.play()
    gross, figures = await judge(town)
    assert (gross, figures) == (12_999_990, (13_000_007, 12_999_990, 1_299_999, 17))
    assert (await arrived(town))["rita"] == 0


async def test_a_pot_that_was_carried_over_whole_can_be_taken_meanwhile(town):
    await town.world.join("rob")
    await town.fill("rob", 4 * DOLLAR, 4 * DOLLAR)
    await act(town, "rob", request_exit_calldata())
    await end_and_ask(town)
    await leave(town, "rob", DOLLAR)
    await chain_money.read(town.coin.money)
    assert await town.units(accounts.suspense(USD)) == 3 * DOLLAR
    await town.play()
    gross, _ = await judge(town)
    assert gross == IN_FULL
    async with town.world.store.read() as tx:
        assert await chain_money.books_units(tx, town.world.members["rob"]) == DOLLAR


@pytest.mark.parametrize("read", [False, True], ids=["unread", "read"])
async def test_who_comes_back_before_the_charge_is_charged_in_full(town, monkeypatch, read):
    await end_and_ask(town)
    await leave(town, "rita", 2 * DOLLAR)
    await chain_money.read(town.coin.money)
    assert await town.units(accounts.suspense(USD)) == 8 * DOLLAR
    await town.vault.deposit(await town.local.funded("rita"), 9 * DOLLAR, 0)
    if read:
        await chain_money.read(town.coin.money)
    # As when the payer finds it charged in the middle of a call of the close.
    monkeypatch.setattr(close, "demand_final", _read_nothing)
    await town.play()
    gross, figures = await judge(town)
    assert (gross, figures) == (IN_FULL, (13 * DOLLAR, IN_FULL, IN_FULL // 10, 10))
    async with town.world.store.read() as tx:
        assert await chain_money.books_units(tx, town.world.members["rita"]) == DOLLAR + 10


async def test_a_creator_who_takes_the_own_pot_has_paid_no_dues_and_gets_the_rest_back(town):
    """The dues are two dollars in either asset: hers were in the vault only."""
    world = town.world
    await world.join("dora")
    await world.thing("dora's", owner="dora")
    address = await town.target("dora")
    await town.fill("dora", 2 * DOLLAR, 2 * DOLLAR)
    for name in ("ann", "ben"):
        await world.flattr("dora", f"{name}'s")
    await world.flattr("ron", "dora's")
    await act(town, "dora", request_exit_calldata())
    await end_and_ask(town)
    await leave(town, "dora", 2 * DOLLAR - 3)
    await town.play()
    await judge(town)
    assert await town.has(address) == 17 - 1
    assert await town.units(accounts.held(USD, world.members["dora"])) == 1_350_000
    assert await town.has(town.coin.signer.address) == 1_350_000


async def _read_nothing(stablecoin, month) -> None:
    del stablecoin, month
