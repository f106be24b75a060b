"""What the vault's events do to the books, inside the transaction of whoever has read them.

    deposited, reclaimed   wallet ─▶ available
    withdrawn              available, then pots from its month on (the newest first) ─▶ wallet
    pot_set                remembered with the address; the pots follow, all at once

The contract decides what a member may take out and how much may be charged, so nothing here can
refuse an event. The pots are not moved by their events but made equal to the vault's afterwards: a
pot of the month holds min(the vault's pot, what the member has), and what the member has is what is
available and in that pot. What an earlier month's close took, or will take, is in neither, so it is
not counted twice although the vault is charged for it later.

What happens after a month's end changes nothing in its pots, also while its close waits: who closes
it late, or again after a restore, must split what was split, and perhaps charged, the first time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from node.ids import MemberId
from node.ledger import accounts, bookings
from node.ledger.accounts import Account
from node.money import Amount, Asset
from node.month import Month
from node.store import bulk_journal, chain_addresses, chain_events, closes, journal
from node.store.chain_addresses import LinkedAddress
from node.store.chain_events import ChainEvent, EventKind, EventState
from node.store.engine import Tx

USD: Final = Asset.USD


async def book_months(
    tx: Tx, chain_id: int, events: Sequence[ChainEvent], since: Month, until: Month, now_us: int
) -> int:
    """Book events, and after each month's make its pots what the vault says; how many were booked.

    So what happened after a cutoff does not change the pots of the month before.
    """
    booked = 0
    for ordinal in range(since.ordinal, until.ordinal + 1):
        month = Month.from_ordinal(ordinal)
        for event in events:
            if Month.at(event.time_s) == month:
                booked += await _book_if_linked(tx, event, now_us)
        await settle_pots(tx, chain_id, month, now_us)
    return booked


async def book_waiting(tx: Tx, linked: LinkedAddress, now_us: int) -> int:
    """Book what came before the address was linked; how many events it was."""
    waiting = await chain_events.of_address(tx, linked.chain_id, linked.address, EventState.SEEN)
    for event in waiting:
        await _book(tx, event, linked.member, now_us)
    return len(waiting)


async def settle_pots(
    tx: Tx, chain_id: int, month: Month, now_us: int, *, ended: bool = False
) -> None:
    """Make the pots of this month, for everybody who is linked, what the vault says.

    `ended`: what it said at the month's end; then no pot grows any more. A month that is closed, or
    is being closed, stays as it is.
    """
    head = await journal.lock_head(tx, USD)
    if await closes.takes_no_money(tx, month, USD):
        return
    until_s = month.ends_s if ended else None
    members, wanted, have = await chain_addresses.pots_to_move(tx, chain_id, USD, month, until_s)
    grown = np.zeros_like(wanted) if ended else np.maximum(wanted - have, 0)
    entry = bookings.vault_pots(
        USD, month, members, grown, np.maximum(have - wanted, 0), f"{chain_id}:{head.seq}"
    )
    await bulk_journal.append(tx, entry, now_us)


async def sources_of(
    tx: Tx, member: MemberId, units: int, since: Month
) -> list[tuple[Account, int]]:
    """What a withdrawal of this month is taken from; less than `units` in all if there is no more.

    A pot of a month that had ended by then is its close's, whether that has begun or not.
    """
    await journal.lock_head(tx, USD)
    available = accounts.available(USD, member)
    have = [(available, (await journal.balance(tx, available)).units)]
    pots = await journal.pots_of(tx, member, USD)
    have += [
        (accounts.pot(USD, member, month), pots[month].units)
        for month in sorted(pots, reverse=True)
        if month >= since and not await closes.takes_no_money(tx, month, USD)
    ]
    taken, left = [], units
    for account, there in have:
        taken.append((account, min(there, left)))
        left -= taken[-1][1]
    return taken


async def _book_if_linked(tx: Tx, event: ChainEvent, now_us: int) -> bool:
    linked = await chain_addresses.of_address(tx, event.chain_id, event.address)
    if linked is None or event.state is not EventState.SEEN:
        return False
    await _book(tx, event, linked.member, now_us)
    return True


async def _book(tx: Tx, event: ChainEvent, member: MemberId, now_us: int) -> None:
    amount = Amount(event.units, USD)
    match event.kind:
        case EventKind.POT_SET:
            await chain_addresses.set_pot(tx, event.chain_id, event.address, event.units)
        case EventKind.DEPOSITED | EventKind.RECLAIMED:
            if amount:
                entry = bookings.vault_deposit(event.id, event.kind, member, amount, event.ref)
                await journal.append(tx, entry, now_us)
        case EventKind.WITHDRAWN:
            if amount:
                since = Month.at(event.time_s)
                sources = await sources_of(tx, member, event.units, since)
                entry = bookings.vault_withdrawal(event.id, amount, sources, event.ref)
                await journal.append(tx, entry, now_us)
    await chain_events.credit(tx, event.id)
