"""Money in and out of the vault, as its events tell it.

    final   cursor ──▶ finalized    each event booked once, in the transaction that moves the cursor
    ahead   finalized ─▶ latest     shown as pending; undone when a block turns out to be another

An event's entry is named by chain, transaction and log, so two readers, or one that reads again,
book it once. Of an address that nobody has linked it is kept, and booked when a member links it.
Nothing here asks whose turn it is: the cursor is read again under the lock of the ledger, and who
comes second does nothing.

The chain's own time decides: what is in a block from the month's end on is the next month's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from node.errors import CorruptBooks, RailUnavailable
from node.flows.vault.books import USD, book_months, settle_pots
from node.flows.vault.events import (
    CREDITED_MAX_UNITS,
    ChainMoney,
    block_at,
    events_in,
    stored_pot,
)
from node.ids import MemberId
from node.ledger import accounts
from node.money import Amount
from node.month import Month
from node.store import chain_addresses, chain_events, journal, leases, suspense
from node.store.chain_events import ChainEvent, EventState, ReadBlock
from node.store.engine import Tx
from node.wallet.stablecoin.vault import VaultAccount

CHUNK_BLOCKS: Final = 2000
"""Blocks that are asked for at once."""
CHUNKS_MAX: Final = 50
"""Of these so many in one round."""
EVENTS_MAX: Final = 1000
"""Events that are booked in one transaction; but a block is never split."""
BLOCKS_KEPT: Final = 300
"""Blocks above the final one that are remembered, to find where the chain has forked."""
ASKED_AT_ONCE: Final = 16
"""Accounts of the vault that are asked for at the same time."""
_ABOVE_ALL: Final = 2**62


@dataclass(frozen=True, slots=True)
class Position:
    """The last block whose events are booked; `cursor` is its number as it is stored."""

    cursor: int
    number: int
    block: ReadBlock | None
    """Its hash and time; None before the first reading."""


@dataclass(frozen=True, slots=True)
class Difference:
    """An address of which the vault says something else than the books, in base units."""

    member: MemberId
    address: str
    balance_units: int
    books_units: int
    pot_units: int
    known_pot_units: int


async def read(money: ChainMoney) -> int:
    """Book what is final, and look at what is above it; how many events are pending.

    Raises RailUnavailable, CorruptBooks when the chain takes back what it called final.
    """
    await read_final(money)
    return await look_ahead(money)


async def read_final(money: ChainMoney) -> bool:
    """Book the events up to the final block; False if that is more than one round takes."""
    final = await money.chain.finalized()
    for _ in range(CHUNKS_MAX):
        at = await position(money)
        if at.number >= final.number:
            return True
        await _demand_same_chain(money, at)
        await _read_chunk(money, at, min(at.number + CHUNK_BLOCKS, final.number))
    return False


async def read_until(money: ChainMoney, cutoff_s: int) -> bool:
    """Whether everything before the cutoff is final and booked; reads on if it is not.

    The close of a month asks this before it freezes; False: not yet, ask again. Raises as `read`.
    """
    await read_final(money)
    at = await position(money)
    if at.block is None or at.block.time_s < cutoff_s:
        return False
    month = Month.at(cutoff_s - 1)
    async with money.store.write("chain.lower") as tx:
        # The close of the month before may have rolled a whole pot on top of this one.
        await settle_pots(tx, money.chain_id, month, money.clock.now_us(), ended=True)
    return True


async def look_ahead(money: ChainMoney) -> int:
    """Read what is not final yet, as pending; how many events that is. Raises RailUnavailable."""
    at = await position(money)
    latest = await money.chain.latest()
    ancestor = await _ancestor(money, at)
    last = min(latest.number, ancestor + CHUNK_BLOCKS)
    events: list[ChainEvent] = []
    end: ReadBlock | None = None
    if last > ancestor:
        end = await block_at(money, last)
        events = await events_in(money, ancestor + 1, last, EventState.PENDING)
        if await block_at(money, last) != end:
            raise RailUnavailable(f"block {last} was replaced while it was read")
    async with money.store.write("chain.ahead") as tx:
        await journal.lock_head(tx, USD)
        if await leases.cursor(tx, money.cursor) == at.cursor:
            await _forget_above(tx, money, ancestor)
            await chain_events.add(tx, events)
            if end is not None:
                await _keep(tx, money, at, end)
        pending = await chain_events.in_state(tx, money.chain_id, EventState.PENDING, CHUNK_BLOCKS)
    return len(pending)


async def surplus(money: ChainMoney) -> Amount:
    """What the vault holds and owes nobody: plain transfers, for the operator to attribute."""
    held = await money.vault.token_balance(money.vault.address, finalized=True)
    owed = await money.vault.liabilities(finalized=True)
    return Amount(min(max(held - owed, 0), CREDITED_MAX_UNITS), USD)


async def differences(money: ChainMoney, uncharged: Mapping[MemberId, int]) -> list[Difference]:
    """Linked addresses whose account in the vault is not what the books say; none is right.

    `uncharged`: what closes have distributed of a member's money and the vault has not charged.
    What a withdrawal took of that is gone from both.
    Asks the vault once for each address. Raises RailUnavailable while the books are behind it.
    """
    final = await money.chain.finalized()
    async with money.store.read() as tx:
        linked = await chain_addresses.all_of(tx, money.chain_id)
        books = {one.member: await books_units(tx, one.member) for one in linked.values()}
        for gone in await suspense.unexplained(tx, money.chain_id, USD):
            books[gone.member] -= gone.units
    found = []
    in_vault = await accounts_in_vault(money, [one.address for one in linked.values()])
    for one in linked.values():
        account = in_vault[one.address]
        in_books = books[one.member] + uncharged.get(one.member, 0)
        pot = stored_pot(account.pot_units)
        if (account.balance_units, pot) != (in_books, one.pot_units):
            found.append(
                Difference(
                    one.member, one.address, account.balance_units, in_books, pot, one.pot_units
                )
            )
    behind = (await position(money)).number != final.number
    if behind or (await money.chain.finalized()).number != final.number:
        raise RailUnavailable("the vault's events are still being read: ask again")
    return found


async def accounts_in_vault(money: ChainMoney, addresses: Sequence[str]) -> dict[str, VaultAccount]:
    """What the vault says of each address at the final block, a few asked at once."""
    places = asyncio.Semaphore(ASKED_AT_ONCE)

    async def ask(address: str) -> VaultAccount:
        async with places:
            return await money.vault.account(address, finalized=True)

    found = await asyncio.gather(*map(ask, addresses))
    return dict(zip(addresses, found, strict=True))


async def position(money: ChainMoney) -> Position:
    """How far everything is booked."""
    async with money.store.read() as tx:
        cursor = await leases.cursor(tx, money.cursor)
        number = max(cursor, money.first_block - 1)
        return Position(cursor, number, await chain_events.block(tx, money.chain_id, number))


async def books_units(tx: Tx, member: MemberId) -> int:
    """What a member has by the books: available and in all pots."""
    pots = await journal.pots_of(tx, member, USD)
    free = await journal.balance(tx, accounts.available(USD, member))
    return free.units + sum(pot.units for pot in pots.values())


async def _read_chunk(money: ChainMoney, at: Position, last: int) -> None:
    """Book the events of the blocks after `at`, all of which are final, up to `last` at most."""
    events, last = await _few_events(money, at.number + 1, last)
    end = await block_at(money, last)
    until = Month.at(end.time_s)
    since = Month.at(at.block.time_s if at.block else events[0].time_s if events else end.time_s)
    async with money.store.write("chain.deposit") as tx:
        await journal.lock_head(tx, USD)
        if await leases.cursor(tx, money.cursor) != at.cursor:
            return
        await chain_events.forget_pending(tx, money.chain_id, 0, last)
        await chain_events.add(tx, events)
        now_us = money.clock.now_us()
        await book_months(tx, money.chain_id, events, since, until, now_us)
        await chain_events.forget_blocks(tx, money.chain_id, 0, last)
        await chain_events.keep_block(tx, money.chain_id, end)
        await leases.set_cursor(tx, money.cursor, last)


async def _few_events(money: ChainMoney, first: int, last: int) -> tuple[list[ChainEvent], int]:
    """The events of these blocks, and up to which block they are: of few enough to be taken.

    RPCs refuse a range with too many logs, each with another number: then of half of it.
    """
    try:
        events = await events_in(money, first, last, EventState.SEEN)
    except RailUnavailable:
        if first == last:
            raise
        return await _few_events(money, first, first + (last - first) // 2)
    if len(events) <= EVENTS_MAX:
        return events, last
    last = max(events[EVENTS_MAX].block_number - 1, events[0].block_number)
    return [one for one in events if one.block_number <= last], last


async def _demand_same_chain(money: ChainMoney, at: Position) -> None:
    if at.block is not None and (await block_at(money, at.number)).hash != at.block.hash:
        raise CorruptBooks(
            f"the chain has another block {at.number} than the final one that was booked"
        )


async def _ancestor(money: ChainMoney, at: Position) -> int:
    """The last block that was read ahead and is still the chain's; what is above it is undone."""
    async with money.store.read() as tx:
        kept = await chain_events.blocks(tx, money.chain_id)
    for known in kept:
        if known.number <= at.number:
            break
        there = await money.chain.block(known.number)
        if there is not None and there.hash == known.hash:
            return known.number
    return at.number


async def _forget_above(tx: Tx, money: ChainMoney, ancestor: int) -> None:
    await chain_events.forget_pending(tx, money.chain_id, ancestor + 1, _ABOVE_ALL)
    await chain_events.forget_blocks(tx, money.chain_id, ancestor + 1, _ABOVE_ALL)


async def _keep(tx: Tx, money: ChainMoney, at: Position, end: ReadBlock) -> None:
    """Remember how far was read ahead, and forget the oldest of too many such blocks."""
    await chain_events.keep_block(tx, money.chain_id, end)
    kept = await chain_events.blocks(tx, money.chain_id)
    above = [block.number for block in kept if block.number > at.number]
    if too_old := above[BLOCKS_KEPT:]:
        await chain_events.forget_blocks(tx, money.chain_id, too_old[-1], too_old[0])
