"""Deposits, balance, pot, means, payouts, withdrawals."""

from __future__ import annotations

from typing import Final, Literal, cast

from node.flows import fund, look, statement
from node.flows.withdraw import withdraw
from node.money import Amount, msat, sats
from node.settlement.payout import PayoutState
from node.store.deposits import Deposit
from node.store.history import PayoutRecord
from node.web import cursor
from node.web.endpoint import Call
from node.web.models.base import PageQuery
from node.web.models.money import (
    BalanceOut,
    DepositIn,
    DepositOut,
    DepositsOut,
    MeansIn,
    MeansOut,
    PayoutOut,
    PayoutsOut,
    PotIn,
    PotOut,
    WithdrawalIn,
)

_WORDS: Final = {
    PayoutState.DUE: "waits for its next try",
    PayoutState.IN_FLIGHT: "is on its way",
    PayoutState.PAID: "is paid: the preimage proves it",
    PayoutState.HELD: "waits for what its reason says",
    PayoutState.RETURNED: "could not be paid and is available again",
}


async def ask_deposit(call: Call, asked: DepositIn) -> DepositOut:
    """POST /deposits."""
    deposit = await fund.ask_deposit(
        call.node.funding, call.member, sats(asked.amount_sat), to_pot=asked.to == "pot",
        key=call.key,
    )  # fmt: skip
    return _deposit(deposit)


async def list_deposits(call: Call, page: PageQuery) -> DepositsOut:
    """GET /deposits."""
    found = await look.deposits_of(
        call.node.store, call.member, page.limit, cursor.read(page.after)
    )
    places = [(one.created_us, one.id) for one in found]
    return DepositsOut(
        items=[_deposit(one) for one in found], next=cursor.after(places, page.limit)
    )


async def read_deposit(call: Call) -> DepositOut:
    """GET /deposits/{deposit}."""
    return _deposit(await look.deposit_of(call.node.store, call.member, call.name("deposit")))


async def read_balance(call: Call) -> BalanceOut:
    """GET /balance."""
    node = call.node
    mine = await statement.balance(node.store, node.clock, node.rules, call.member)
    return BalanceOut(
        month=str(mine.month),
        available_msat=mine.available.units,
        pot_msat=mine.pot.units,
        means_msat=mine.means.units,
        earned_msat=mine.earned.units,
        held_msat=mine.held.units,
        held_reason=mine.held_reason,
        payouts_waiting_msat=mine.payouts_waiting.units,
        dues_msat=mine.dues.units,
    )


async def set_pot(call: Call, asked: PotIn) -> PotOut:
    """PUT /pot."""
    wanted = (
        sats(asked.amount_sat) if asked.amount_sat is not None else msat(asked.amount_msat or 0)
    )
    month, pot = await fund.set_pot(call.node.funding, call.member, wanted, call.key)
    return PotOut(month=str(month), pot_msat=pot.units)


async def set_means(call: Call, asked: MeansIn) -> MeansOut:
    """PUT /means."""
    amount = sats(asked.amount_sat)
    await fund.set_means(call.node.funding, call.member, amount)
    return MeansOut(means_msat=amount.units)


async def ask_withdrawal(call: Call, asked: WithdrawalIn) -> PayoutOut:
    """POST /withdrawals."""
    node = call.node
    amount: Amount | None = None if asked.amount_sat is None else sats(asked.amount_sat)
    payout = await withdraw(
        node.store, node.clock, node.rules, call.member, asked.target, amount, call.key,
        node.fetcher.allow,
    )  # fmt: skip
    return _payout(await look.payout_of(node.store, call.member, payout.id))


async def list_payouts(call: Call, page: PageQuery) -> PayoutsOut:
    """GET /payouts."""
    found = await look.payouts_of(call.node.store, call.member, page.limit, cursor.read(page.after))
    places = [(one.created_us, one.id) for one in found]
    return PayoutsOut(items=[_payout(one) for one in found], next=cursor.after(places, page.limit))


async def read_payout(call: Call) -> PayoutOut:
    """GET /payouts/{payout}."""
    return _payout(await look.payout_of(call.node.store, call.member, call.name("payout")))


def _deposit(deposit: Deposit) -> DepositOut:
    return DepositOut(
        id=deposit.id,
        state=cast('Literal["open", "settled", "expired"]', deposit.state),
        to="pot" if deposit.to_pot else "available",
        amount_msat=deposit.units,
        paid_msat=deposit.paid_units,
        payment_request=deposit.payment_request,
        payment_hash=deposit.payment_hash,
        created_s=deposit.created_us // 1_000_000,
        expires_s=deposit.expires_s,
        settled_s=deposit.settled_s,
    )


def _payout(payout: PayoutRecord) -> PayoutOut:
    state = payout.state
    return PayoutOut(
        id=payout.id,
        kind=cast('Literal["creator", "withdrawal"]', str(payout.kind)),
        month=None if payout.month is None else str(payout.month),
        amount_msat=payout.units,
        target=payout.target,
        state=cast('Literal["due", "in_flight", "paid", "held", "returned"]', str(state)),
        words=_WORDS[state],
        reason=payout.reason,
        tries=payout.tries,
        next_try_s=payout.next_try_s if state is PayoutState.DUE else None,
        created_s=payout.created_us // 1_000_000,
        paid_s=None if payout.paid_us is None else payout.paid_us // 1_000_000,
        fee_msat=payout.fee_units,
        payment_hash=payout.reference,
        preimage=payout.proof,
    )
