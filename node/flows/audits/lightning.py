"""The invariants that compare the books with LND.

LND is read after the books: first its balances, then its payments. So a payment that settles
meanwhile is among the payments by the time it is missing from the balances. What the books did not
know when they were read is looked up once more before it is called foreign or uncredited.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeGuard

from node.flows.audits.books import Books
from node.flows.audits.lines import Line, count, judge, sat, words_of
from node.ids import PaymentHash
from node.settlement.attempt import AttemptState
from node.settlement.payout import PayoutKind
from node.store import audits, deposits
from node.store.audits import CreditedDeposit, SettledAttempt
from node.store.engine import Store
from node.wallet.lightning.answers import (
    Balances,
    InvoiceState,
    InvoiceView,
    LndNode,
    PaymentStatus,
    PaymentView,
)
from node.wallet.lightning.lnd import Lnd
from node.wallet.lightning.traces import Traces

LOOKUPS_AT_ONCE: Final = 32


@dataclass(frozen=True, slots=True)
class Network:
    """What LND says. `payments` by hash, since the node's first day; `invoices` of our deposits."""

    node: LndNode
    balances: Balances
    payments: Mapping[str, PaymentView]
    invoices: Mapping[str, InvoiceView]
    asked: frozenset[str]
    """The deposits that lnd was asked about."""
    elsewhere: frozenset[str]
    """Deposits whose invoice another lnd made: they can't be compared."""
    attempts_now: Mapping[str, AttemptState]
    """Attempts once more, after LND was read."""
    credited_now: frozenset[str]
    traces: Traces
    paid_msat: int
    """All that lnd says it has ever paid, fees too."""


async def read_network(
    lnd: Lnd, store: Store, books: Books, rail: str, deposits_max: int | None = None
) -> Network:
    """All that the audit needs of LND. Raises RailUnavailable, ConfigError.

    `deposits_max`: so many of the newest are looked up; each is a call. None: all.
    """
    node = await lnd.read_node()
    balances = await lnd.balances()
    since_s = books.begun_s if books.begun_s is not None else books.at_s
    traces, every = await lnd.traces(), [one async for one in lnd.list_payments(since_s=0)]
    payments = {one.payment_hash: one for one in every if one.created_s >= since_s}
    newest = books.deposits if deposits_max is None else books.deposits[-deposits_max:]
    invoices = await _invoices(lnd, newest)
    missing = [one for one in newest if one.state == "settled" and one.payment_hash not in invoices]
    elsewhere = {d.payment_hash for d in missing if await _is_elsewhere(lnd, node, d)}
    paid = [h for h, invoice in invoices.items() if invoice.state is InvoiceState.SETTLED]
    uncredited = set(paid) - {d.payment_hash for d in books.deposits if d.state == "settled"}
    async with store.read() as tx:
        attempts_now = await audits.references(tx, rail)
        again = [await deposits.by_hash(tx, PaymentHash(one)) for one in sorted(uncredited)]
    credited_now = {one.payment_hash for one in again if one and one.state == "settled"}
    return Network(
        node, balances, payments, invoices, frozenset(one.payment_hash for one in newest),
        frozenset(elsewhere), attempts_now, frozenset(credited_now),
        traces,
        sum(one.paid_msat for one in every),
    )  # fmt: skip


def solvency_line(books: Books, network: Network) -> Line:
    """I3."""
    unbooked = sum(
        view.value_msat
        for payment_hash, view in network.payments.items()
        if view.status is PaymentStatus.SUCCEEDED
        and payment_hash in network.attempts_now
        and books.attempts.get(payment_hash) is not AttemptState.SETTLED
    )
    owed, assets = books.wallet.units, network.balances.own_msat + unbooked
    margin = f"{(assets - owed) * 1000 // owed / 10} %" if owed else "all of it"
    figures = (
        f"liabilities {sat(owed)} {'≤' if owed <= assets else '>'} channels {sat(assets)}"
        f" (margin {margin}; in HTLCs {sat(network.balances.in_htlcs_msat)})"
    )
    broken = [] if owed <= assets else [f"{sat(owed - assets)} are missing from the channels"]
    return judge("I3", "sat solvency", figures, broken)


def proofs_line(books: Books, network: Network | None) -> Line:
    """I6. Without LND: the preimages and the books alone."""
    broken = words_of(books.breaches, "I6")
    compared = 0
    for one in books.settled:
        broken += _proof_broken(one)
        if network is not None and _is_of(network, one):
            compared += 1
            broken += _payment_broken(one, network.payments.get(one.reference))
            if one.sender != network.node.pubkey:
                broken.append(f"payment {one.reference[:12]}…: this lnd has made it, not another")
    number = len(books.settled)
    figures = f"{count(number)} / {count(number)} hash to their payment"
    if network is None:
        figures += "; not compared with lnd"
    else:
        figures += f"; {count(compared)} SUCCEEDED in lnd with that value"
    warnings = [
        f"payment {one.reference[:12]}… is proved by its preimage, and lnd keeps it open"
        for one in books.settled
        if network is not None and _is_kept_open(one, network.payments.get(one.reference))
    ]
    if network is not None and compared < number:
        warnings.append(f"{number - compared} were paid by another lnd, and not compared")
    return judge("I6", "preimages", figures, broken, warnings)


def foreign_line(books: Books, network: Network) -> Line:
    """I7."""
    foreign = foreign_payments(books, network)
    named = sum(one in books.foreign for one in network.payments)
    figures = (
        f"{count(len(network.payments))} payments of lnd, {named} named foreign,"
        f" unknown {count(len(foreign))}"
    )
    broken = []
    if foreign:
        total = sum(one.value_msat for one in foreign)
        broken.append(
            f"{len(foreign)} payments of {sat(total)} are unknown, the first"
            f" {foreign[0].payment_hash[:12]}…: flattr-node reconcile"
        )
    return judge("I7", "lnd payments known", figures, broken)


def foreign_payments(books: Books, network: Network) -> list[PaymentView]:
    """Payments of LND that no attempt explains and nobody has named foreign, oldest first."""
    return [
        view
        for payment_hash, view in network.payments.items()
        if payment_hash not in network.attempts_now
        and payment_hash not in books.foreign
        and view.status is not PaymentStatus.FAILED
    ]


def deposits_line(books: Books, network: Network | None) -> Line:
    """I10. Without LND: deposits against the ledger alone."""
    credited = [one for one in books.deposits if one.state == "settled"]
    broken = words_of(books.breaches, "I10")
    broken += [
        f"deposit {one.payment_hash[:12]}…: {sat(one.paid_units)} paid, {sat(one.booked_units)}"
        " booked"
        for one in credited
        if one.paid_units != one.booked_units
    ]
    broken += [
        f"deposit {one.payment_hash[:12]}… of member {one.member} is credited to {one.credited}"
        for one in credited
        if one.credited not in {None, one.member}
    ]
    if books.orphans:
        broken.append(f"{books.orphans} deposits are booked and not there")
    total = sum(one.booked_units for one in credited)
    figures = f"{count(len(credited))} deposits, {sat(total)} credited"
    if network is None:
        line_figures = figures + "; not compared with lnd"
        return judge("I10", "deposits", line_figures, broken)
    asked = [one for one in books.deposits if one.payment_hash in network.asked]
    views = [network.invoices.get(one.payment_hash) for one in asked]
    settled = sum(view.amt_paid_msat for view in views if _is_paid(view))
    figures += f" = {sat(settled)} settled in lnd"
    if len(asked) < len(books.deposits):
        figures += f" (the newest {count(len(asked))} compared)"
    warnings = []
    for one, view in zip(asked, views, strict=True):
        if one.state == "settled" and one.payment_hash not in network.elsewhere:
            broken += _deposit_broken(one, view)
        elif _is_paid(view) and not _is_credited(one, network):
            warnings.append(
                f"{one.payment_hash[:12]}… is paid, not credited: flattr-node reconcile"
            )
    if network.elsewhere:
        warnings.append(f"{len(network.elsewhere)} came through another lnd, and not compared")
    return judge("I10", "deposits", figures, broken, warnings)


def fees_broken(books: Books, network: Network) -> list[str]:
    """I13's other half: fees as LND has them."""
    return [
        f"payment {one.reference[:12]}… cost {sat(view.fee_msat)} in lnd, {sat(one.fee)} here"
        for one in books.settled
        if (view := network.payments.get(one.reference)) is not None
        and view.fee_msat != one.fee
        and not one.by_preimage
    ]


def _is_paid(view: InvoiceView | None) -> TypeGuard[InvoiceView]:
    return view is not None and view.state is InvoiceState.SETTLED


def _is_credited(one: CreditedDeposit, network: Network) -> bool:
    return one.state == "settled" or one.payment_hash in network.credited_now


async def _invoices(lnd: Lnd, wanted: Sequence[CreditedDeposit]) -> dict[str, InvoiceView]:
    places = asyncio.Semaphore(LOOKUPS_AT_ONCE)

    async def look(payment_hash: str) -> InvoiceView | None:
        async with places:
            return await lnd.lookup_invoice(payment_hash)

    found = await asyncio.gather(*(look(one.payment_hash) for one in wanted))
    return {one.payment_hash: view for one, view in zip(wanted, found, strict=True) if view}


async def _is_elsewhere(lnd: Lnd, node: LndNode, deposit: CreditedDeposit) -> bool:
    if deposit.payment_request is None:
        return False
    decoded = await lnd.decode_pay_req(deposit.payment_request)
    return decoded is not None and decoded.payee != node.pubkey


def _is_of(network: Network, one: SettledAttempt) -> bool:
    return one.sender == network.node.pubkey or one.reference in network.payments


def _proof_broken(one: SettledAttempt) -> list[str]:
    """The preimage, and the payout and the ledger, which must say what the attempt says."""
    name, broken = f"payment {one.reference[:12]}…", []
    try:
        hashed = hashlib.sha256(bytes.fromhex(one.proof)).hexdigest()
    except ValueError:
        hashed = ""
    if hashed != one.reference:
        broken.append(f"{name}: its preimage is not the hash's")
    if (one.proof, one.units, one.fee) != (one.payout_proof, one.payout_units, one.payout_fee):
        broken.append(f"{name}: payout and attempt differ")
    own_fee = min(one.fee, one.fee_limit) if one.kind is PayoutKind.WITHDRAWAL else 0
    if one.booked_units != one.units + own_fee:
        broken.append(f"{name}: {sat(one.units)} paid, {sat(one.booked_units)} booked")
    return broken


def _payment_broken(one: SettledAttempt, view: PaymentView | None) -> list[str]:
    name = f"payment {one.reference[:12]}…"
    if view is None:
        return [f"{name}: lnd does not have it"]
    if _is_kept_open(one, view):
        return []
    if view.status is not PaymentStatus.SUCCEEDED or view.value_msat != one.units:
        return [f"{name}: lnd says {view.status.name} with {sat(view.value_msat)}"]
    return []


def _is_kept_open(one: SettledAttempt, view: PaymentView | None) -> bool:
    closed = (PaymentStatus.SUCCEEDED, PaymentStatus.FAILED)
    return one.by_preimage and view is not None and view.status not in closed


def _deposit_broken(one: CreditedDeposit, invoice: InvoiceView | None) -> list[str]:
    name = f"deposit {one.payment_hash[:12]}…"
    if invoice is None:
        return [f"{name}: credited, and lnd has no such invoice"]
    if invoice.state is not InvoiceState.SETTLED:
        return [f"{name}: credited, and lnd says {invoice.state.name}"]
    if invoice.amt_paid_msat != one.booked_units:
        paid = sat(invoice.amt_paid_msat)
        return [f"{name}: lnd received {paid}, {sat(one.booked_units)} is credited"]
    return []
