"""A member's available money, out again: one payout more, by the same machine.

The amount and the most that its routing may cost are set aside at once; what the fee did not need
comes back when it is paid, and all of it when it can't be paid (design.md §3.7).
"""

from __future__ import annotations

import secrets

from node.clock import Clock
from node.errors import BadInput, InsufficientFunds, KeyReused
from node.flows.rules import Rules, demand_node_decides
from node.ids import MemberId, withdrawal_id
from node.ledger import accounts, bookings
from node.money import Amount
from node.settlement.fees import most_with_fee, payout_fee_limit
from node.settlement.payout import Payout, PayoutKind
from node.store import journal, payouts
from node.store.engine import Store
from node.wallet.lightning.bolt11 import parse_invoice
from node.wallet.lightning.targets import Bolt11, NodeKey, parse_target


async def withdraw(
    store: Store, clock: Clock, rules: Rules, member: MemberId, text: str,
    amount: Amount | None, key: str, allow: frozenset[str],
) -> Payout:  # fmt: skip
    """Set money aside for a withdrawal to a BOLT11 invoice or a Lightning address.

    `amount` may be left out with an invoice, which has its own. With the same key (not empty): the
    same withdrawal. Raises BadTarget, BadInput, InsufficientFunds, KeyReused, VaultDecides.
    """
    demand_node_decides(amount.asset if amount is not None else rules.asset)
    target, amount = _target(text, amount, allow)
    fee_limit = payout_fee_limit(amount)
    payout = Payout(
        withdrawal_id(member, key or secrets.token_hex(16)), PayoutKind.WITHDRAWAL, member, amount,
        fee_limit, target,
    )  # fmt: skip
    async with store.write("withdraw.open") as tx:
        await journal.lock_head(tx, rules.asset)
        if (found := await payouts.get(tx, payout.id)) is not None:
            if (found.amount, found.target) != (amount, target):
                raise KeyReused("this Idempotency-Key asked for another withdrawal: take a new key")
            return found
        source = accounts.available(rules.asset, member)
        _demand_enough(await journal.balance(tx, source), amount, fee_limit)
        entry = bookings.open_payout(payout.id, source, amount.units + fee_limit.units, None)
        await journal.append(tx, entry, clock.now_us())
        await payouts.add(tx, [payout], clock.now_us())
    return payout


def _demand_enough(available: Amount, amount: Amount, fee_limit: Amount) -> None:
    """Say what is there before the books refuse, which have the last word."""
    if amount.units + fee_limit.units <= available.units:
        return
    most = most_with_fee(available)
    can_be = f"the most that can be withdrawn now is {most}" if most else "it is too little"
    raise InsufficientFunds(
        f"{available} is available, and {amount} needs {fee_limit} set aside for the network's"
        f" fee: {can_be}"
    )


def _target(text: str, amount: Amount | None, allow: frozenset[str]) -> tuple[str, Amount]:
    target = parse_target(text, allow=allow)
    if isinstance(target, NodeKey):
        raise BadInput("withdraw to an invoice or a Lightning address, not to a node key")
    if isinstance(target, Bolt11):
        invoiced = Amount(parse_invoice(target.invoice).amount_msat or 0)
        if amount is not None and amount != invoiced:
            raise BadInput(f"the invoice asks for {invoiced}, not {amount}")
        amount = invoiced
    if amount is None or not amount or amount.whole_coins()[1]:
        raise BadInput("say how much: a whole number of sats, more than none")
    return target.text, amount
