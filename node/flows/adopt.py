"""Take up a payment that lnd has made and a restored database does not know, as what it was.

The attempt is stored as it would have been before the backup was restored; the next look at lnd
settles it, by the same rules as any other. Who says which payout a payment was: the journal of
intents, or a person. The money of a withdrawal that is not known either is set aside once more.
"""

from __future__ import annotations

from dataclasses import replace

from node.clock import now_s
from node.errors import InsufficientFunds
from node.flows.intents import Intent, intent_of
from node.flows.node import Node
from node.ids import MemberId, PaymentHash, PayoutId, attempt_id
from node.ledger import accounts, bookings
from node.money import Amount, Asset
from node.settlement.attempt import Attempt, sent
from node.settlement.payout import Payout, PayoutEvent, PayoutKind, PayoutState
from node.store import attempts, deposits, journal, payouts
from node.store.engine import Tx
from node.wallet.lightning.answers import PaymentView

_BY_HAND = "adopted by hand"


async def adopt(node: Node, payment: PaymentView, intent: Intent) -> bool:
    """Store the attempt that made this payment; False when it can't be that payout's.

    That is so when the payout is not there, is of another amount, is paid, or has an attempt that
    may yet pay.
    """
    try:
        async with node.store.write("reconcile.take_up") as tx:
            await journal.lock_head(tx, node.rail.asset)
            payout = await _payout(tx, node, intent)
            if payout is None or payout.amount.units != payment.value_msat:
                return False
            number = await attempts.next_number(tx, node.rail.name)
            attempt = _attempt(node, number, payout, intent)
            used_by = f"attempt:{attempt.id}"
            if not await deposits.use_hash_first(tx, payment.payment_hash, used_by):
                return False
            await _take(tx, payout, intent)
            await attempts.add(tx, sent(attempt, payment.created_s), 0, node.clock.now_us())
            await attempts.set_seen(tx, attempt.id)
    except InsufficientFunds:
        return False
    return True


def by_hand(node: Node, payment: PaymentView, payout: Payout, sender: str) -> Intent:
    """A person says that this payment was that payout."""
    return intent_of(
        payout,
        payment_hash=payment.payment_hash,
        fee_limit=payout.fee_limit,
        message=_BY_HAND,
        sender=sender,
        expires_s=None,
        at_s=now_s(node.clock),
    )


async def _payout(tx: Tx, node: Node, intent: Intent) -> Payout | None:
    """The payout as it waits, or None; a withdrawal that nobody knows any more is opened again."""
    found = await payouts.get(tx, PayoutId(intent.payout))
    if found is None and intent.kind == PayoutKind.WITHDRAWAL:
        amount, fee_limit = Amount(intent.units), Amount(intent.fee_limit)
        member = MemberId(intent.member)
        found = Payout(
            PayoutId(intent.payout), PayoutKind.WITHDRAWAL, member, amount, fee_limit, intent.target
        )
        source = accounts.available(Asset.SAT, member)
        entry = bookings.open_payout(found.id, source, amount.units + fee_limit.units, None)
        await journal.append(tx, entry, node.clock.now_us())
        await payouts.add(tx, [found], node.clock.now_us())
    if found is None or found.state not in {PayoutState.DUE, PayoutState.HELD}:
        return None
    return found


async def _take(tx: Tx, payout: Payout, intent: Intent) -> None:
    """It is in flight: whatever it waited for, it was paid to where the intent says."""
    if payout.state is PayoutState.HELD:
        await payouts.move(tx, payout, PayoutEvent.RELEASED)
    target = intent.target or payout.target or intent.sender
    await payouts.retarget(tx, payout, target)
    due = replace(payout, state=PayoutState.DUE, target=target, tries=0)
    taken = await payouts.take(tx, due)
    assert taken, "it is locked, and due"


def _attempt(node: Node, number: int, payout: Payout, intent: Intent) -> Attempt:
    return Attempt(
        attempt_id(payout.id, PaymentHash(intent.payment_hash)), node.rail.name, number,
        (payout.id,), intent.payment_hash, intent.message, payout.amount,
        Amount(intent.fee_limit), intent.expires_s, intent.sender,
    )  # fmt: skip
