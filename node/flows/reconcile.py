"""Bring the books and LND together again: after a crash, a breach, or a restored backup.

    deposits     each that is not settled is looked up, also long after its expiry
    attempts     each that is not settled is asked about, also those that were called dead
    payments     each of LND's that no attempt explains: unknown

What the journal of intents (`intents.py`) names is taken up as the payout that it was, and so is
what a person names. Then a rail that was in quarantine since a restore is free again: Lightning
when no payment is unknown, the stablecoin when all that the node's key has done is known.

An unknown payment means that the books are older than LND (a restored backup), or that the operator
pays by hand from this LND. Nothing is sent until each is adopted: named foreign for ever. One that
equals a payout which still waits is suspect: it may be that payout, paid before the backup was
restored, and adopting it would pay it again. A keysend or a creator's own invoice has one hash for
the payout's life: its payment is recognized, and settles its payout in the next round.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from node.clock import now_s
from node.errors import BadTarget, ConfigError, Conflict, NotFound, QuoteRefused
from node.flows import adopt as taking
from node.flows import fund
from node.flows.audits.books import ASSET
from node.flows.intents import Intent
from node.flows.node import Node
from node.flows.outcome import Outcomes
from node.flows.round_report import RoundReport
from node.flows.vault import chain_money
from node.flows.vault.chain_key import unaccounted_nonces
from node.flows.vault.stablecoin import RAIL as STABLECOIN
from node.ids import PayoutId
from node.settlement.payout import Payout, PayoutState
from node.store import attempts, audits, deposits, leases, payouts
from node.store.engine import Tx
from node.wallet.lightning.answers import PaymentStatus, PaymentView
from node.wallet.lightning.targets import Bolt11, NodeKey, parse_target

REASON: Final = "reconcile found payments of lnd that are unknown here: "
PAYOUTS_MAX: Final = 100_000
_NOTHING: Final[Mapping[str, PayoutId]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Unknown:
    """A payment of LND that nothing here explains. `suspects`: waiting payouts it may have paid."""

    payment: PaymentView
    suspects: tuple[Payout, ...]


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What was found and done."""

    deposits: int
    round: RoundReport
    unknown: tuple[Unknown, ...]
    adopted: int
    recognized: int
    taken_up: int
    """Payments that are their payouts' again, by the journal or a person's word."""
    nonces: tuple[int, ...]
    """Of the node's key on its chain: used, and not known here."""
    stopped: str | None
    """Why nothing is sent, if it is so now."""


async def reconcile(
    node: Node, *, adopt: bool, suspects_too: bool = False, paid: Mapping[str, PayoutId] = _NOTHING
) -> Reconciled:
    """Settle what can be settled, find what is unknown, and adopt it if told to.

    `paid`: payouts by the hash of the payment that a person knows to have paid them. Raises
    RailUnavailable, NotFound or Conflict for one of `paid` that can't be so.
    """
    credited = await _sweep_deposits(node)
    report = await node.payer.settle_only()
    await _ask_the_dead(node, report)
    unknown, recognized = await _unknown(node)
    unknown, taken_up = await _take_up(node, unknown, paid)
    if taken_up:
        report.settled += (await node.payer.settle_only()).settled
    taken = [one for one in unknown if adopt and (suspects_too or not one.suspects)]
    left = tuple(one for one in unknown if one not in taken)
    async with node.store.write("reconcile.adopt") as tx:
        for one in taken:
            payment_hash = one.payment.payment_hash
            await deposits.use_hash(tx, payment_hash, f"foreign:{payment_hash}")
        await _set_breaker(tx, node, left)
        if not left:
            await leases.end_quarantine(tx, node.rail.name)
        stopped = await leases.stopped(tx, node.rail.name)
    nonces = await _compare_chain(node)
    return Reconciled(credited, report, left, len(taken), recognized, taken_up, nonces, stopped)


async def quarantine(node: Node) -> str | None:
    """Before anything is sent at a start: stop if LND has paid what nothing here explains.

    It writes only then: a start on a full disk must serve. Why nothing is sent, or None. Raises
    RailUnavailable, DatabaseAway.
    """
    unknown, _ = await _unknown(node)
    if unknown:
        async with node.store.write("reconcile.stop") as tx:
            await _set_breaker(tx, node, tuple(unknown))
    async with node.store.read() as tx:
        return await leases.stopped(tx, node.rail.name)


async def _take_up(
    node: Node, unknown: list[Unknown], paid: Mapping[str, PayoutId]
) -> tuple[list[Unknown], int]:
    """(what is still unknown, how many payments are their payouts' again)."""
    intents = node.intents.read() if node.intents is not None else {}
    sender = (await node.lnd.read_node()).pubkey
    left, named = [], set(paid)
    for one in unknown:
        intent = intents.get(one.payment.payment_hash)
        if (payout_id := paid.get(one.payment.payment_hash)) is not None:
            intent = await _named(node, one.payment, payout_id, sender)
        if intent is None or not await taking.adopt(node, one.payment, intent):
            left.append(one)
        else:
            named.discard(one.payment.payment_hash)
    if named:
        raise Conflict(f"{min(named)} can't have paid that payout: see flattr-node payouts")
    return left, len(unknown) - len(left)


async def _named(node: Node, payment: PaymentView, payout_id: PayoutId, sender: str) -> Intent:
    async with node.store.read() as tx:
        payout = await payouts.get(tx, payout_id)
    if payout is None:
        raise NotFound(f"there is no payout {payout_id}")
    return taking.by_hand(node, payment, payout, sender)


async def _compare_chain(node: Node) -> tuple[int, ...]:
    """Nonces of the node's key that are not known here; none: the stablecoin is free again."""
    nonces: list[int] = []
    if (coin := node.stablecoin) is not None:
        await chain_money.read(coin.money)
        money = coin.money
        nonces = await unaccounted_nonces(
            money.store, money.chain, money.chain_id, coin.signer.address, money.vault.address
        )
    if not nonces:
        async with node.store.write("reconcile.compare") as tx:
            await leases.end_quarantine(tx, STABLECOIN)
    return tuple(nonces)


async def _sweep_deposits(node: Node) -> int:
    """Credit what was paid, also after its expiry; how many."""
    credited = await fund.catch_up(node.funding)
    async with node.store.read() as tx:
        every = await audits.all_deposits(tx)
    for one in every:
        if one.state == "settled":
            continue
        invoice = await node.lnd.lookup_invoice(one.payment_hash)
        if invoice is not None and (paid := invoice.settled) is not None:
            credited += await fund.credit_found(node.funding, paid)
    return credited


async def _ask_the_dead(node: Node, report: RoundReport) -> None:
    async with node.store.read() as tx:
        dead = await attempts.buried_since(tx, node.rail.name, 0, PAYOUTS_MAX)
    outcomes = Outcomes(node.store, node.clock, node.rail)
    for attempt in dead:
        await outcomes.check_dead(attempt, report)


async def _unknown(node: Node) -> tuple[list[Unknown], int]:
    """(payments that nothing explains, how many were recognized as a waiting payout's own)."""
    async with node.store.read() as tx:
        since_s = await audits.begun_s(tx)
        foreign = await audits.foreign_hashes(tx)
        waiting = [
            payout
            for state in (PayoutState.DUE, PayoutState.HELD)
            for payout in await payouts.in_state(tx, ASSET, state, PAYOUTS_MAX)
        ]
    since_s = now_s(node.clock) if since_s is None else since_s
    payments = [one async for one in node.lnd.list_payments(since_s=since_s)]
    async with node.store.read() as tx:  # after lnd was asked: what is sent meanwhile is known
        known = await audits.references(tx, node.rail.name)
    strange = [
        one
        for one in payments
        if one.payment_hash not in known
        and one.payment_hash not in foreign
        and one.created_s >= since_s
        and one.status is not PaymentStatus.FAILED
    ]
    own = await _own_hashes(node, waiting) if strange else set()
    unknown = [
        Unknown(one, tuple(p for p in waiting if p.amount.units == one.value_msat))
        for one in strange
        if one.payment_hash not in own
    ]
    return unknown, len(strange) - len(unknown)


async def _own_hashes(node: Node, waiting: list[Payout]) -> set[str]:
    """The hashes under which these payouts would be paid, where that is settled for ever."""
    hashes = set()
    for payout in waiting:
        try:
            target = parse_target(payout.target or "", allow=node.fetcher.allow)
            if isinstance(target, NodeKey | Bolt11):
                hashes.add((await node.rail.prepare([payout], 0)).reference)
        except (BadTarget, QuoteRefused, ConfigError):
            continue
    return hashes


async def _set_breaker(tx: Tx, node: Node, left: tuple[Unknown, ...]) -> None:
    """Closed again only if it was opened for this reason, and the reason is gone."""
    if left:
        await leases.halt(tx, node.rail.name, f"{REASON}{len(left)}", node.clock.now_us())
        return
    stopped = await leases.stopped(tx, node.rail.name)
    if stopped is not None and stopped.startswith(REASON):
        await leases.resume(tx, node.rail.name)
