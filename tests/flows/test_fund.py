"""Money in: what was paid is credited once, in full, and nothing else is."""

import pytest

from node.errors import Conflict, InsufficientFunds, RailUnavailable
from node.flows import fund, withdraw
from node.ledger import accounts
from node.money import Asset, msat, sats
from node.store import closes
from node.store.closes import Close, Figures, Stage
from node.wallet.lightning.answers import SettledInvoice
from tests.conftest import MONTH
from tests.world import World, open_world, target_of

PAID_S = MONTH.starts_s + 7200


@pytest.fixture
async def world(store, clock):
    async with open_world(store, clock) as opened:
        await opened.join("ann")
        yield opened


async def available(world: World) -> int:
    return await world.balance(accounts.available(Asset.SAT, world.members["ann"]))


async def test_what_was_paid_while_the_node_was_down_is_credited_once(world):
    deposit = await world.ask("ann", sats(2000), to_pot=False)
    paid = world.invoices.pay(deposit.payment_hash, sats(2000).units, PAID_S)
    assert await fund.catch_up(world.funding) == 1
    assert await fund.catch_up(world.funding) == 0
    assert not await fund.credit(world.funding, paid)
    assert await available(world) == sats(2000).units


async def test_what_was_paid_too_much_is_the_members_too(world):
    deposit = await world.ask("ann", sats(2000), to_pot=False)
    paid = world.invoices.pay(deposit.payment_hash, sats(2000).units + 1, PAID_S)
    assert await fund.credit(world.funding, paid)
    assert await available(world) == sats(2000).units + 1


async def test_a_foreign_invoice_is_nobodys_deposit(world):
    foreign = SettledInvoice("cd" * 32, msat(9).units, 7, PAID_S)
    assert not await fund.credit(world.funding, foreign)
    assert await world.balance(accounts.wallet(Asset.SAT)) == 0


async def test_the_same_key_asks_for_the_same_invoice(world):
    first = await world.ask("ann", sats(2000), to_pot=True, key="k")
    assert await world.ask("ann", sats(2000), to_pot=True, key="k") == first


async def test_a_key_whose_hour_is_over_makes_no_invoice_any_more(world, clock):
    world.invoices.away = True
    with pytest.raises(RailUnavailable):
        await world.ask("ann", sats(2000), to_pot=True, key="k")
    world.invoices.away = False
    clock.advance(fund.EXPIRY_S)
    with pytest.raises(Conflict, match="ask for a new one"):
        await world.ask("ann", sats(2000), to_pot=True, key="k")


async def test_a_month_that_is_frozen_in_another_asset_takes_sats_yet(world):
    """The stablecoin's close may begin while lnd is away; what was paid before counts in full."""
    deposit = await world.ask("ann", sats(2000), to_pot=True)
    world.invoices.pay(deposit.payment_hash, sats(2000).units, PAID_S)
    async with world.store.write() as tx:
        for asset in (Asset.USD, Asset.SAT):
            close = Close(MONTH.plus(-1 * (asset is Asset.SAT)), asset, Stage.FROZEN, 1, 1000, 0,
                          Figures(), None)  # fmt: skip
            assert await closes.freeze(tx, close)
    assert await fund.catch_up(world.funding) == 1
    pot = accounts.pot(Asset.SAT, world.members["ann"], MONTH)
    assert await world.balance(pot) == sats(2000).units


async def test_every_open_deposit_is_asked_about_however_many_there_are(world, monkeypatch):
    monkeypatch.setattr(fund, "ASKED_AT_ONCE", 3)
    asked = [await world.ask("ann", sats(2000), to_pot=False) for _ in range(8)]
    for deposit in asked:
        world.invoices.pay(deposit.payment_hash, sats(2000).units, PAID_S)
    assert await fund.catch_up(world.funding) == len(asked)
    assert await available(world) == sats(2000).units * len(asked)


async def test_who_withdraws_too_much_is_told_how_much_goes_and_then_it_goes(world):
    await world.fund("ann", sats(1000), to_pot=False, at_s=None)
    with pytest.raises(InsufficientFunds) as refused:
        await world.withdraw("ann", sats(1000), target_of("ann"))
    assert str(refused.value) == (
        "1\u2009000 sat is available, and 1\u2009000 sat needs 5 sat set aside for the network's"
        " fee: the most that can be withdrawn now is 995 sat"
    )
    with pytest.raises(InsufficientFunds):
        await world.withdraw("ann", sats(996), target_of("ann"))
    await world.withdraw("ann", sats(995), target_of("ann"))
    assert await available(world) == 25
    with pytest.raises(InsufficientFunds, match=r"0\.025 sat is available.* it is too little"):
        await world.withdraw("ann", sats(1), target_of("ann"))


async def test_who_fills_the_pot_with_too_much_is_told_what_is_there(world):
    await world.fund("ann", sats(300), to_pot=True, at_s=None)
    await world.fund("ann", sats(200), to_pot=False, at_s=None)
    ann = world.members["ann"]
    with pytest.raises(InsufficientFunds) as refused:
        await fund.set_pot(world.funding, ann, msat(500_001), "")
    assert str(refused.value) == (
        "200 sat is available and 300 sat is in the pot: it can hold 500 sat at most now"
    )
    assert (await fund.set_pot(world.funding, ann, sats(500), ""))[1] == sats(500)


async def test_the_books_have_the_last_word_on_what_reaches(world, monkeypatch):
    monkeypatch.setattr(withdraw, "_demand_enough", lambda *_: None)
    await world.fund("ann", sats(1000), to_pot=False, at_s=None)
    with pytest.raises(InsufficientFunds, match="does not reach"):
        await world.withdraw("ann", sats(1000), target_of("ann"))
    assert await available(world) == sats(1000).units
