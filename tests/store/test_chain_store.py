"""What the database itself keeps of the chain's money, on both databases."""

from dataclasses import replace

import pytest
from sqlalchemy.exc import DBAPIError

from node.ids import MemberId, entry_id
from node.ledger import bookings
from node.money import Amount, Asset
from node.store import chain_addresses, chain_events, checks, journal, members
from node.store.chain_addresses import LinkedAddress
from node.store.chain_events import ChainEvent, EventKind, EventState, ReadBlock

CHAIN = 1
EVENT = ChainEvent(
    entry_id("chain", CHAIN, "0xaa", 0), CHAIN, "0xaa", 0, 5, "0xb5", 7, EventKind.DEPOSITED,
    "0xAnn", 10, EventState.PENDING,
)  # fmt: skip


async def kept(store) -> list[tuple[int, EventState]]:
    async with store.read() as tx:
        found = [one for state in EventState for one in
                 await chain_events.in_state(tx, CHAIN, state, 9)]  # fmt: skip
    return [(one.block_number, one.state) for one in found]


async def test_a_pending_event_moves_with_its_block_and_a_final_one_stays(store):
    moved = replace(EVENT, block_number=6, block_hash="0xb6")
    final = replace(moved, state=EventState.SEEN)
    for event, expected in (
        (EVENT, (5, EventState.PENDING)),
        (moved, (6, EventState.PENDING)),
        (final, (6, EventState.SEEN)),
        (EVENT, (6, EventState.SEEN)),
    ):
        async with store.write() as tx:
            await chain_events.add(tx, [event])
        assert await kept(store) == [expected]


async def test_only_what_is_pending_is_forgotten(store):
    final = replace(EVENT, id=entry_id("chain", CHAIN, "0xbb", 0), tx_hash="0xbb",
                    state=EventState.SEEN)  # fmt: skip
    async with store.write() as tx:
        await chain_events.add(tx, [EVENT, final])
        assert await chain_events.forget_pending(tx, CHAIN, 6, 9) == 0
        assert await chain_events.forget_pending(tx, CHAIN, 5, 5) == 1
    assert await kept(store) == [(5, EventState.SEEN)]


async def test_an_event_that_is_not_final_is_not_credited(store):
    async with store.write() as tx:
        await chain_events.add(tx, [EVENT])
        await chain_events.credit(tx, EVENT.id)
    assert await kept(store) == [(5, EventState.PENDING)]


async def test_a_credited_event_that_is_not_in_the_books_is_a_breach(store):
    async with store.write() as tx:
        await chain_events.add(tx, [replace(EVENT, state=EventState.CREDITED)])
        (breach,) = await checks.breaches(tx)
        assert (breach.invariant, "credited event" in breach.law) == ("I10", True)
        await tx.run("DELETE FROM chain_event")


async def test_a_booking_of_an_event_that_never_was_is_a_breach(store):
    entry = bookings.vault_deposit(
        EVENT.id, "deposited", MemberId(1), Amount(10, Asset.USD), EVENT.ref
    )
    async with store.write() as tx:
        await journal.append(tx, entry, 1)
        (breach,) = await checks.breaches(tx)
        assert (breach.invariant, "is an event of the vault" in breach.law) == ("I10", True)
        await chain_events.add(tx, [replace(EVENT, state=EventState.SEEN)])
        (breach,) = await checks.breaches(tx)
        assert "credited event" in breach.law
        await chain_events.credit(tx, EVENT.id)


async def test_an_address_has_one_member_and_a_member_one_address(store):
    async with store.write() as tx:
        ann, bob = [await members.add(tx, name, 1) for name in ("ann", "bob")]
        assert await chain_addresses.link(tx, LinkedAddress(CHAIN, "0xAnn", ann, 1, 0))
        assert not await chain_addresses.link(tx, LinkedAddress(CHAIN, "0xAnn", bob, 1, 0))
        assert not await chain_addresses.link(tx, LinkedAddress(CHAIN, "0xOther", ann, 1, 0))
        assert await chain_addresses.link(tx, LinkedAddress(CHAIN + 1, "0xAnn", ann, 1, 0))


async def test_an_event_of_one_log_is_one_row(store):
    with pytest.raises(DBAPIError):
        async with store.write() as tx:
            await chain_events.add(tx, [EVENT, replace(EVENT, id=entry_id("another"))])


async def test_a_block_that_is_kept_again_is_the_newer_one(store):
    async with store.write() as tx:
        for block in (ReadBlock(5, "0xb5", 7), ReadBlock(5, "0xc5", 8)):
            await chain_events.keep_block(tx, CHAIN, block)
        assert await chain_events.blocks(tx, CHAIN) == [ReadBlock(5, "0xc5", 8)]
