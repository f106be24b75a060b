"""Books and vault at one final block, for the audit.

    book what is final ▶ read the books ▶ ask the chain at that block ▶ still the same block?

The chain is asked at its final block. When that moves on meanwhile, or the books do, all is read
once more: figures of two moments would differ although nothing is wrong.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from node.errors import RailUnavailable
from node.flows.vault import chain_money
from node.flows.vault.chain_money import ASKED_AT_ONCE, Difference
from node.flows.vault.events import ChainMoney
from node.flows.vault.stablecoin import RAIL, Stablecoin
from node.flows.vault.transfer import PREFIX
from node.ids import MemberId
from node.ledger import accounts
from node.money import Asset
from node.settlement.attempt import AttemptState
from node.settlement.month_split import READER_COLUMNS, unpack
from node.settlement.payout import PayoutKind
from node.settlement.vault_file import COMMISSION_DIVISOR
from node.store import (
    chain_addresses,
    chain_audits,
    closes,
    journal,
    transactions,
    vault_months,
)
from node.store.chain_audits import ChainAttempt
from node.store.closes import Close, Stage
from node.store.engine import Store, Tx
from node.store.vault_months import VaultMonth
from node.wallet.stablecoin.answers import Receipt

READINGS_MAX: Final = 5
_USD: Final = Asset.USD


@dataclass(frozen=True, slots=True)
class VaultBooks:
    """What the books say, of one moment. `live`: payments that they do not call settled."""

    wallet: int
    suspense: int
    """What members took out that a close had taken already, before the vault charged it."""
    members: int
    """Of all linked members, available and in pots, without that."""
    live: tuple[ChainAttempt, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """Books and chain at one final block, in base units."""

    block: int
    books: VaultBooks
    differences: tuple[Difference, ...]
    uncharged: int
    linked: int
    held: int
    owed: int
    month: int
    """What the newest month of the vault has charged, and not paid yet."""
    at_node: int
    claimable: int
    """What the token refused to bring to the node's address."""
    unbooked: int
    """What the chain has paid, finally, and the books call in flight."""


async def read(store: Store, stablecoin: Stablecoin) -> Reading:
    """Books and chain at one final block.

    Raises RailUnavailable, CorruptBooks when the chain takes back what it called final.
    """
    last = RailUnavailable("the vault was not asked")
    for _ in range(READINGS_MAX):
        try:
            return await _read_once(store, stablecoin)
        except RailUnavailable as error:
            last = error
    raise last


async def receipts_of(
    money: ChainMoney, hashes: Sequence[str | None]
) -> dict[str | None, Receipt | None]:
    """What became of these transactions, a few asked at once. Raises RailUnavailable."""
    places = asyncio.Semaphore(ASKED_AT_ONCE)

    async def ask(tx_hash: str) -> Receipt | None:
        async with places:
            return await money.chain.receipt(tx_hash)

    wanted = sorted({one for one in hashes if one})
    return dict(zip(wanted, await asyncio.gather(*map(ask, wanted)), strict=True))


async def _read_once(store: Store, stablecoin: Stablecoin) -> Reading:
    money = stablecoin.money
    vault, node = money.vault, stablecoin.signer.address
    if not await chain_money.read_final(money):
        raise RailUnavailable("the vault's events are still being read: ask again")
    final = await money.chain.finalized()
    async with store.read() as tx:
        seq = await chain_audits.last_seq(tx, _USD)
        books = await _read_books(tx, stablecoin)
    uncharged = await _uncharged(store, stablecoin)
    differences = await chain_money.differences(money, uncharged)
    more = sum(one.balance_units - one.books_units for one in differences)
    reading = Reading(
        block=final.number,
        books=books,
        differences=tuple(differences),
        uncharged=sum(uncharged.values()),
        linked=books.members + sum(uncharged.values()) + more,
        held=await vault.token_balance(vault.address, finalized=True),
        owed=await vault.liabilities(finalized=True),
        month=await _unpaid(stablecoin),
        at_node=await vault.token_balance(node, finalized=True),
        claimable=await vault.claimable(node, finalized=True),
        unbooked=sum(
            [await _paid_units(store, stablecoin, one, final.number) for one in books.live]
        ),
    )
    async with store.read() as tx:
        moved = await chain_audits.last_seq(tx, _USD) != seq
    if moved or await money.chain.finalized() != final:
        raise RailUnavailable("books or chain moved on while they were compared: ask again")
    return reading


async def _read_books(tx: Tx, stablecoin: Stablecoin) -> VaultBooks:
    linked = await chain_addresses.all_of(tx, stablecoin.money.chain_id)
    members = [await chain_money.books_units(tx, one.member) for one in linked.values()]
    suspense = await journal.balance(tx, accounts.suspense(_USD))
    stored = await chain_audits.attempts_of(tx, RAIL, "")
    return VaultBooks(
        wallet=(await journal.balance(tx, accounts.wallet(_USD))).units,
        suspense=suspense.units,
        members=sum(members) - suspense.units,
        live=tuple(one for one in stored if one.state is not AttemptState.SETTLED),
    )


async def _uncharged(store: Store, stablecoin: Stablecoin) -> dict[MemberId, int]:
    """What vault and books say differently of members while a month is charged and closed.

    Above 0: a close took it from the member, and the vault has not yet. Below 0: the vault has, and
    the close has not booked it yet.
    """
    money = stablecoin.money
    async with store.read() as tx:
        linked = await chain_addresses.all_of(tx, money.chain_id)
        months = [one for one in await vault_months.all_of(tx) if _is_ours(stablecoin, one)]
        closing = [
            (one, close.stage.number >= Stage.BOOKED.number, await _planned(tx, close))
            for one in months
            if one.paid_us is None and (close := await closes.get(tx, one.month, _USD))
        ]
    address = {one.member: one.address for one in linked.values()}
    found: dict[MemberId, int] = {}
    for month, booked, planned in closing:
        if booked and month.gross is not None:
            continue
        members = sorted(planned.keys() & address.keys())
        asked = await chain_money.accounts_in_vault(money, [address[one] for one in members])
        for member in members:
            account = asked[address[member]]
            taken = account.last_charge_units if account.last_month == month.number else 0
            found[member] = (planned[member] if booked else 0) - taken
    return {member: units for member, units in found.items() if units}


async def _planned(tx: Tx, close: Close) -> dict[MemberId, int]:
    """What the split takes of each reader with a counted flattr."""
    blobs = await closes.parts(tx, close.month, _USD, "reader")
    readers = unpack(b"".join(blobs), len(READER_COLUMNS))
    return {
        MemberId(member): flattrs * share
        for member, _, flattrs, share, _, _ in readers.tolist()
        if flattrs
    }


async def _unpaid(stablecoin: Stablecoin) -> int:
    """What of the newest month is in the vault: only that one can be unpaid."""
    vault = stablecoin.money.vault
    number = await vault.month(finalized=True)
    if number and await vault.closed(finalized=True) == number:
        return 0  # it was abandoned: what was charged is its members' again
    month = await vault.month_state(number, finalized=True)
    if month.batches and month.done == month.batches:
        return 0
    if not month.payable_at_s:
        return month.gross
    return month.remaining + month.gross // COMMISSION_DIVISOR


async def _paid_units(
    store: Store, stablecoin: Stablecoin, attempt: ChainAttempt, final: int
) -> int:
    """What of a payment that is not settled here the chain has made, finally."""
    if attempt.reference.startswith(PREFIX):
        made = await _is_transferred(store, stablecoin, attempt, final)
        return sum(one.units for one in attempt.payouts) if made else 0
    number, index = map(int, attempt.reference.split(":")[-2:])
    vault = stablecoin.money.vault
    if not await vault.is_batch_paid(number, index, finalized=True):
        return 0
    month = await vault.month_state(number, finalized=True)
    whole = month.done == month.batches
    return sum(
        one.units for one in attempt.payouts if whole or one.kind is not PayoutKind.COMMISSION
    )


async def _is_transferred(
    store: Store, stablecoin: Stablecoin, attempt: ChainAttempt, final: int
) -> bool:
    async with store.read() as tx:
        call = await transactions.get(tx, attempt.reference)
        if call is None or call.nonce is None:
            return False
        signed = await transactions.signatures(tx, call.purpose, call.nonce)
    for one in signed:
        receipt = await stablecoin.money.chain.receipt(one.tx_hash)
        if receipt is not None and receipt.ok and receipt.block_number <= final:
            return True
    return False


def _is_ours(stablecoin: Stablecoin, month: VaultMonth) -> bool:
    money = stablecoin.money
    return (month.chain_id, month.vault) == (money.chain_id, money.vault.address)
