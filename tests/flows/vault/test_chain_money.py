"""The vault's money in the books: each event once, whoever reads it, and nothing that is undone."""

from __future__ import annotations

import asyncio

import pytest

from node import failpoints
from node.errors import CorruptBooks, RailUnavailable
from node.failpoints import FailpointHit
from node.flows.vault import chain_money
from node.flows.vault.books import USD
from node.flows.vault.events import CREDITED_MAX_UNITS
from node.ledger import accounts
from node.money import Asset
from node.store import chain_events
from node.store.chain_events import EventState
from tests.conftest import MONTH
from tests.flows.vault.bank import open_bank
from tests.killed import points_of
from tests.wallet.stablecoin.fake_chain import CHAIN_ID, address_of

DOLLAR = 1_000_000
ANN = address_of("ann")
BOB = address_of("bob")


@pytest.fixture
async def bank(store, clock):
    async with open_bank(store, clock) as opened:
        yield opened


async def test_a_deposit_is_credited_once_however_often_it_is_read(bank):
    bank.chain.deposit(ANN, 10 * DOLLAR, pot=4 * DOLLAR)
    bank.chain.mine()
    for _ in range(3):
        await chain_money.read(bank.money)
    assert await bank.has("ann") == (6 * DOLLAR, 4 * DOLLAR)
    bank.chain.deposit(ANN, DOLLAR)
    bank.chain.mine()
    await chain_money.read(bank.money)
    assert await bank.has("ann") == (7 * DOLLAR, 4 * DOLLAR)


async def test_readers_that_race_credit_once(bank):
    for _ in range(5):
        bank.chain.deposit(ANN, DOLLAR)
        bank.chain.mine()
    await asyncio.gather(*(chain_money.read(bank.money) for _ in range(6)))
    assert await bank.has("ann") == (5 * DOLLAR, 0)
    async with bank.store.read() as tx:
        assert (await chain_money.position(bank.money)).number == 5
        assert len(await chain_events.of_address(tx, CHAIN_ID, ANN, EventState.CREDITED)) == 5


async def test_a_wallet_that_pays_for_others_credits_the_account_that_it_names(bank):
    await bank.join("bob")
    bank.chain.deposit(BOB, 3 * DOLLAR, payer=ANN)
    bank.chain.mine()
    await chain_money.read(bank.money)
    assert await bank.has("bob") == (3 * DOLLAR, 0)
    assert await bank.has("ann") == (0, 0)


async def test_what_is_not_final_is_shown_and_not_credited(bank):
    bank.chain.deposit(ANN, 2 * DOLLAR)
    bank.chain.mine(final=False)
    assert await chain_money.read(bank.money) == 1
    assert await bank.pending() == [2 * DOLLAR]
    assert await bank.has("ann") == (0, 0)
    bank.chain.final = 1
    assert await chain_money.read(bank.money) == 0
    assert await bank.has("ann") == (2 * DOLLAR, 0)


@pytest.mark.parametrize("rounds_between", [False, True])
async def test_a_reorg_above_the_final_block_is_undone_down_to_the_common_ancestor(
    bank, rounds_between
):
    for units in (1, 2, 3):
        bank.chain.deposit(ANN, units)
        bank.chain.mine(final=False)
        if rounds_between:
            await chain_money.read(bank.money)
    await chain_money.read(bank.money)
    assert await bank.pending() == [1, 2, 3]
    bank.chain.reorg(2, keep=[1])
    assert await chain_money.read(bank.money) == 2
    assert await bank.pending() == [1, 3]
    bank.chain.final = bank.chain.blocks[-1].number
    await chain_money.read(bank.money)
    assert await bank.has("ann") == (4, 0)
    assert await bank.pending() == []


async def test_a_reorg_that_became_final_unseen_credits_what_is_there_and_only_that(bank):
    bank.chain.deposit(ANN, 5)
    bank.chain.mine(final=False)
    bank.chain.deposit(ANN, 7)
    bank.chain.mine(final=False)
    await chain_money.read(bank.money)
    bank.chain.reorg(2, keep=[1])
    bank.chain.final = 2
    await chain_money.read(bank.money)
    assert await bank.has("ann") == (0, 0)
    assert await bank.pending() == [7]
    bank.chain.final = 3
    await chain_money.read(bank.money)
    assert await bank.has("ann") == (7, 0)


async def test_a_fork_that_is_shorter_than_what_was_read_is_undone_too(bank):
    for units in (1, 2):
        bank.chain.deposit(ANN, units)
        bank.chain.mine(final=False)
    await chain_money.read(bank.money)
    del bank.chain.blocks[-1]
    assert await chain_money.read(bank.money) == 1
    assert await bank.pending() == [1]


async def test_a_block_that_is_replaced_while_it_is_read_is_read_again(bank):
    bank.chain.deposit(ANN, 1)
    bank.chain.mine(final=False)

    async def fork() -> None:
        bank.chain.reorg(1)

    bank.chain.meanwhile = fork
    with pytest.raises(RailUnavailable, match="replaced while it was read"):
        await chain_money.read(bank.money)
    assert await bank.pending() == []
    assert await chain_money.read(bank.money) == 0


async def test_a_look_ahead_that_another_reader_has_overtaken_changes_nothing(bank):
    bank.chain.deposit(ANN, 1)
    bank.chain.mine(final=False)

    async def another() -> None:
        bank.chain.final = 1
        await chain_money.read(bank.money)

    bank.chain.meanwhile = another
    assert await chain_money.look_ahead(bank.money) == 0
    assert await bank.has("ann") == (1, 0)
    at = await chain_money.position(bank.money)
    assert at.block is not None
    assert at.block.hash == bank.chain.blocks[1].hash


async def test_a_chain_that_takes_back_what_was_final_stops_the_reader(bank):
    bank.chain.deposit(ANN, 5)
    bank.chain.mine()
    await chain_money.read(bank.money)
    bank.chain.final = 0
    bank.chain.reorg(1)
    bank.chain.mine()
    with pytest.raises(CorruptBooks, match="another block 1"):
        await chain_money.read(bank.money)
    assert await bank.has("ann") == (5, 0)


KILLED = points_of("chain.deposit")


@pytest.mark.parametrize(("point", "credited"), [("before_commit", 0), ("after_commit", 5)])
async def test_a_reader_that_dies_at_its_commit_has_credited_all_or_nothing(bank, point, credited):
    bank.chain.deposit(ANN, 5, pot=2)
    bank.chain.mine()
    failpoints.arm({f"chain.deposit.{point}": "raise"})
    try:
        with pytest.raises(FailpointHit):
            await chain_money.read(bank.money)
    finally:
        failpoints.arm({})
    assert sum(await bank.has("ann")) == credited
    await chain_money.read(bank.money)
    assert await bank.has("ann") == (3, 2)


async def test_a_chain_that_is_away_changes_nothing(bank):
    bank.chain.deposit(ANN, 5)
    bank.chain.mine()
    bank.chain.away = True
    with pytest.raises(RailUnavailable):
        await chain_money.read(bank.money)
    bank.chain.away = False
    await chain_money.read(bank.money)
    assert await bank.has("ann") == (5, 0)


async def test_what_came_before_the_address_was_linked_is_kept_and_credited_then(bank):
    bank.chain.deposit(BOB, 10, pot=4)
    bank.chain.mine()
    bank.chain.withdraw(BOB, 3)
    bank.chain.mine()
    await chain_money.read(bank.money)
    assert await bank.units(accounts.wallet(USD)) == 0
    await bank.join("bob")
    assert await bank.has("bob") == (3, 4)
    await chain_money.read(bank.money)
    assert await bank.has("bob") == (3, 4)


async def test_plain_transfers_are_offered_as_surplus(bank):
    bank.chain.deposit(ANN, 10)
    bank.chain.transfer(7)
    bank.chain.mine()
    await chain_money.read(bank.money)
    assert (await chain_money.surplus(bank.money)).units == 7
    assert await bank.has("ann") == (10, 0)


async def test_more_money_than_there_can_be_is_refused_and_stops_nobody(bank):
    bank.chain.deposit(ANN, 2**90, pot=2)
    bank.chain.deposit(ANN, CREDITED_MAX_UNITS)
    bank.chain.mine()
    await chain_money.read(bank.money)
    assert await bank.has("ann") == (CREDITED_MAX_UNITS - 2, 2)
    async with bank.store.read() as tx:
        assert len(await chain_events.in_state(tx, CHAIN_ID, EventState.REFUSED, 9)) == 1


async def test_many_blocks_are_read_in_pieces(bank, monkeypatch):
    monkeypatch.setattr(chain_money, "CHUNK_BLOCKS", 2)
    monkeypatch.setattr(chain_money, "CHUNKS_MAX", 2)
    for _ in range(9):
        bank.chain.deposit(ANN, 1)
        bank.chain.mine()
    assert not await chain_money.read_final(bank.money)
    assert await bank.has("ann") == (4, 0)
    assert not await chain_money.read_final(bank.money)
    assert not await chain_money.read_until(bank.money, MONTH.ends_s)
    assert await bank.has("ann") == (9, 0)


async def test_a_flood_of_events_is_booked_in_pieces_and_a_block_is_never_split(bank, monkeypatch):
    monkeypatch.setattr(chain_money, "EVENTS_MAX", 2)
    monkeypatch.setattr(chain_money, "CHUNKS_MAX", 1)
    for events in (1, 3, 1, 1, 1):
        for _ in range(events):
            bank.chain.deposit(ANN, 1)
        bank.chain.mine()
    seen = []
    while not await chain_money.read_final(bank.money):
        seen.append((await bank.has("ann"))[0])
    assert seen == [1, 4, 6, 7]


async def test_an_rpc_that_refuses_long_ranges_is_asked_for_shorter_ones(bank):
    bank.chain.logs_max = 3
    for _ in range(11):
        bank.chain.deposit(ANN, 1)
        bank.chain.mine()
    await chain_money.read(bank.money)
    assert await bank.has("ann") == (11, 0)
    bank.chain.logs_max = 0
    bank.chain.mine()
    with pytest.raises(RailUnavailable, match="too many"):
        await chain_money.read(bank.money)


async def test_few_blocks_are_kept(bank, monkeypatch):
    monkeypatch.setattr(chain_money, "BLOCKS_KEPT", 3)
    for _ in range(8):
        bank.chain.mine(final=False)
        await chain_money.read(bank.money)
    async with bank.store.read() as tx:
        assert [one.number for one in await chain_events.blocks(tx, CHAIN_ID)] == [8, 7, 6]
    bank.chain.final = 7
    await chain_money.read(bank.money)
    async with bank.store.read() as tx:
        assert [one.number for one in await chain_events.blocks(tx, CHAIN_ID)] == [8, 7]


async def test_the_rails_do_not_mix(bank):
    bank.chain.deposit(ANN, 5)
    bank.chain.mine()
    await chain_money.read(bank.money)
    assert await bank.units(accounts.wallet(Asset.SAT)) == 0
