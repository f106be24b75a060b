"""Money in: an invoice for each deposit, credited once, and moved between available and the pot.

    ask      store the deposit (its payment hash is derived, so it is known) ▶ lnd makes the invoice
    credit   lnd says paid ▶ one transaction: deposit settled, entry booked, settle_index kept

A crash between the two halves of `ask` is repaired by asking again: same deposit, same hash. The
stream of paid invoices is read from the stored settle_index, so nothing that was paid while the
node was down is missed, and the entry's id is the payment hash, so nothing is credited twice.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Final

from node.clock import Clock, now_s, this_month
from node.errors import BadInput, Conflict, InsufficientFunds, KeyReused
from node.failpoints import failpoint
from node.flows.arrivals import Arrivals
from node.flows.rules import Rules, demand_node_decides
from node.ids import MemberId, PaymentHash, derive, entry_id
from node.ledger import accounts, bookings
from node.money import Amount, Asset
from node.month import Month
from node.store import closes, deposits, journal, leases, leaving, members
from node.store.deposits import Deposit
from node.store.engine import OLDEST, Store, Tx
from node.wallet.lightning.answers import SettledInvoice
from node.wallet.lightning.invoices import LightningInvoices

EXPIRY_S: Final = 3600
FORGET_AFTER_S: Final = 86_400
RUN_OUT: Final = "this deposit has run out before its invoice was made: ask for a new one"
ASKED_AT_ONCE: Final = 10_000
"""So many open deposits are read at a time."""
SETTLE_CURSOR: Final = "lightning.settle_index"


@dataclass(frozen=True, slots=True)
class Funding:
    """What taking money in needs."""

    store: Store
    clock: Clock
    rules: Rules
    invoices: LightningInvoices
    arrivals: Arrivals = field(default_factory=Arrivals)


async def ask_deposit(
    funding: Funding, member: MemberId, amount: Amount, *, to_pot: bool, key: str
) -> Deposit:
    """An invoice for the member. With the same key (not empty): the same invoice.

    Raises BadInput outside the operator's limits, Conflict for a key whose hour is over, KeyReused,
    VaultDecides; and RailUnavailable, after which the deposit is there without an invoice.
    """
    demand_node_decides(amount.asset)
    rules = funding.rules
    if not rules.deposit_min <= amount <= rules.deposit_max:
        raise BadInput(f"a deposit is {rules.deposit_min} to {rules.deposit_max}, not {amount}")
    deposit_id = deposit_id_of(member, key or secrets.token_hex(16))
    payment_hash = funding.invoices.payment_hash_of(deposit_id)
    created_us = funding.clock.now_us()
    wanted = Deposit(
        deposit_id, payment_hash, member, amount.units, to_pot, None, "open", created_us,
        created_us // 1_000_000 + EXPIRY_S, None, None,
    )  # fmt: skip
    stored = await _stored(funding, wanted)
    if stored.payment_request is not None:
        return stored
    left_s = stored.expires_s - now_s(funding.clock)
    if stored.state != "open" or left_s <= 0:
        raise Conflict(RUN_OUT)
    memo = "flattr-node: into your pot" if to_pot else "flattr-node: into your balance"
    _, request = await funding.invoices.create(deposit_id, amount, memo, left_s)
    failpoint("deposit.open.after_effect")
    async with funding.store.write("deposit.request") as tx:
        await deposits.set_request(tx, deposit_id, request, now_s(funding.clock))
        made = await deposits.get(tx, deposit_id)
    assert made is not None, "it was stored above"
    if made.payment_request is None:  # nobody has seen the invoice, so nobody can pay it
        raise Conflict(RUN_OUT)
    return made


def deposit_id_of(member: MemberId, key: str) -> str:
    """The id of the deposit that a member asks for with this key."""
    return derive("deposit", member, key)


async def credit(funding: Funding, paid: SettledInvoice) -> bool:
    """Book one paid invoice, and how far the stream was read; False if it is not a new deposit."""
    async with funding.store.write("deposit.credit") as tx:
        await journal.lock_head(tx, funding.rules.asset)
        found = await deposits.by_hash(tx, paid.payment_hash)
        credited = found is not None and await _book(tx, funding, found, paid)
        await leases.set_cursor(tx, SETTLE_CURSOR, paid.settle_index)
    return _told(funding, found, credited)


async def catch_up(funding: Funding) -> int:
    """Ask lnd about every open deposit; how many were credited. Raises RailUnavailable.

    A close runs it first: what was paid before the cutoff counts in full.
    """
    credited, last = 0, OLDEST
    while True:
        async with funding.store.read() as tx:
            waiting = await deposits.open_ones(tx, ASKED_AT_ONCE, after=last)
        for deposit in waiting:
            credited += await _ask_about(funding, deposit)
        if len(waiting) < ASKED_AT_ONCE:
            return credited
        last = (waiting[-1].created_us, waiting[-1].id)


async def _ask_about(funding: Funding, deposit: Deposit) -> bool:
    """Whether an open deposit was paid, and is credited now; long after its expiry: closed."""
    invoice = await funding.invoices.lookup(deposit.payment_hash)
    if invoice is not None and (paid := invoice.settled) is not None:
        return await credit_found(funding, paid)
    if now_s(funding.clock) > deposit.expires_s + FORGET_AFTER_S:
        async with funding.store.write("deposit.expire") as tx:
            await deposits.expire(tx, deposit.id, now_s(funding.clock))
    return False


async def credit_found(funding: Funding, paid: SettledInvoice) -> bool:
    """Credit an invoice that was looked up, without moving the stream's cursor past others."""
    async with funding.store.write("deposit.credit") as tx:
        await journal.lock_head(tx, funding.rules.asset)
        found = await deposits.by_hash(tx, paid.payment_hash)
        credited = found is not None and await _book(tx, funding, found, paid)
    return _told(funding, found, credited)


async def set_pot(
    funding: Funding, member: MemberId, wanted: Amount, key: str
) -> tuple[Month, Amount]:
    """Make this month's pot hold `wanted`; (month, pot). With the same key: once.

    Raises InsufficientFunds, VaultDecides.
    """
    demand_node_decides(wanted.asset)
    month = this_month(funding.clock)
    key = key or secrets.token_hex(16)
    async with funding.store.write("pot.set") as tx:
        await journal.lock_head(tx, wanted.asset)
        month = await _open_month(tx, month, wanted.asset)
        pot = accounts.pot(wanted.asset, member, month)
        have = await journal.balance(tx, pot)
        if await _moved(tx, member, month, wanted, key) or have == wanted:
            return month, have
        if wanted > have:
            free = await journal.balance(tx, accounts.available(wanted.asset, member))
            if free.units < wanted.units - have.units:  # the books would say less
                raise InsufficientFunds(
                    f"{free} is available and {have} is in the pot: it can hold {have + free}"
                    " at most now"
                )
            entry = bookings.fill_pot(member, month, wanted - have, "pot", key)
        else:
            entry = bookings.empty_pot(member, month, have - wanted, key)
        await journal.append(tx, entry, funding.clock.now_us())
    return month, wanted


async def set_means(funding: Funding, member: MemberId, amount: Amount) -> None:
    """The standing amount that fills the pot when a month begins. Raises VaultDecides."""
    demand_node_decides(amount.asset)
    async with funding.store.write("means.set") as tx:
        await members.set_means(tx, member, amount)


async def _stored(funding: Funding, wanted: Deposit) -> Deposit:
    async with funding.store.write("deposit.open") as tx:
        if not await leaving.lock(tx, wanted.member):
            raise Conflict("this account is closed: it takes no money in")
        if (found := await deposits.get(tx, wanted.id)) is not None:
            if (found.units, found.to_pot) != (wanted.units, wanted.to_pot):
                raise KeyReused("this Idempotency-Key asked for another deposit: take a new key")
            return found
        await deposits.add(tx, wanted)
    return wanted


async def _book(tx: Tx, funding: Funding, deposit: Deposit, paid: SettledInvoice) -> bool:
    if not await deposits.settle(tx, deposit.id, paid.amt_paid_msat, paid.settle_date_s):
        return False
    amount = Amount(paid.amt_paid_msat, funding.rules.asset)
    paid_in = Month.at(paid.settle_date_s)
    to = await _open_month(tx, paid_in, amount.asset) if deposit.to_pot else None
    entry = bookings.deposit(deposit.member, amount, PaymentHash(paid.payment_hash), to)
    return await journal.append(tx, entry, funding.clock.now_us())


def _told(funding: Funding, deposit: Deposit | None, credited: bool) -> bool:
    if deposit is not None and credited:
        funding.arrivals.tell(deposit.id)
    return credited


async def _open_month(tx: Tx, month: Month, asset: Asset) -> Month:
    """The first month from this one on that is not frozen in the asset."""
    while await closes.takes_no_money(tx, month, asset):
        month = month.plus(1)
    return month


async def _moved(tx: Tx, member: MemberId, month: Month, wanted: Amount, key: str) -> bool:
    """Whether this key has moved the pot before, up or down."""
    ids = [entry_id(kind, member, month, wanted.asset, key) for kind in ("pot", "unpot")]
    return any([await journal.has(tx, one) for one in ids])
