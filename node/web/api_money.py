"""Deposits, balance, pot, means, payouts, withdrawals."""

from __future__ import annotations

from typing import Final, Literal, cast

from node.flows import fund, look, statement
from node.flows.withdraw import withdraw
from node.money import Amount, Asset, msat, sats
from node.settlement.payout import PayoutState
from node.store.deposits import Deposit
from node.store.history import PayoutRecord
from node.web import cursor
from node.web.endpoint import Call
from node.web.models.base import AssetName, PageQuery
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
    UsdBalanceOut,
    WithdrawalIn,
)

_WORDS: Final = {
    PayoutState.DUE: "waits for its next try",
    PayoutState.IN_FLIGHT: "is on its way",
    PayoutState.PAID: "is paid: the preimage proves it",
    PayoutState.HELD: "waits for what its reason says",
    PayoutState.RETURNED: "could not be paid and is available again",
}
_USD_WORDS: Final = {**_WORDS, PayoutState.PAID: "is paid: the transaction proves it"}
_CLAIM: Final = "can be claimed"
"""In the reason of a payout that the token refused to deliver."""
_CLAIM_WORDS: Final = (
    "is paid, and was refused by the token: it is the address's own in the vault, and"
    " GET /stablecoin/account has the call that delivers it"
)


async def ask_deposit(call: Call, asked: DepositIn) -> DepositOut:
    """POST /deposits."""
    deposit = await fund.ask_deposit(
        call.node.funding, call.member, _amount(call, asked), to_pot=asked.to == "pot",
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
        usd=await _usd_balance(call) if node.stablecoin else None,
    )


async def set_pot(call: Call, asked: PotIn) -> PotOut:
    """PUT /pot."""
    wanted = msat(asked.amount_msat) if asked.amount_msat is not None else _amount(call, asked)
    month, pot = await fund.set_pot(call.node.funding, call.member, wanted, call.key)
    return PotOut(month=str(month), pot_msat=pot.units)


async def set_means(call: Call, asked: MeansIn) -> MeansOut:
    """PUT /means."""
    amount = _amount(call, asked)
    await fund.set_means(call.node.funding, call.member, amount)
    return MeansOut(means_msat=amount.units)


async def ask_withdrawal(call: Call, asked: WithdrawalIn) -> PayoutOut:
    """POST /withdrawals."""
    node = call.node
    said = asked.asset == "usd" or asked.amount_sat is not None
    amount = _amount(call, asked) if said else None
    payout = await withdraw(
        node.store, node.clock, node.rules, call.member, asked.target, amount, call.key,
        node.fetcher.allow,
    )  # fmt: skip
    return tell_payout(await look.payout_of(node.store, call.member, payout.id))


async def list_payouts(call: Call, page: PageQuery) -> PayoutsOut:
    """GET /payouts."""
    found = await look.payouts_of(call.node.store, call.member, page.limit, cursor.read(page.after))
    places = [(one.created_us, one.id) for one in found]
    return PayoutsOut(
        items=[tell_payout(one) for one in found], next=cursor.after(places, page.limit)
    )


async def read_payout(call: Call) -> PayoutOut:
    """GET /payouts/{payout}."""
    return tell_payout(await look.payout_of(call.node.store, call.member, call.name("payout")))


def _amount(call: Call, asked: DepositIn | PotIn | MeansIn | WithdrawalIn) -> Amount:
    """What is asked for. Raises NoStablecoin."""
    if asked.asset == "usd":
        return Amount(asked.amount_units or 0, call.stablecoin.rules.asset)
    return sats(asked.amount_sat or 0)


async def _usd_balance(call: Call) -> UsdBalanceOut:
    node, rules = call.node, call.stablecoin.rules
    mine = await statement.balance(node.store, node.clock, rules, call.member)
    return UsdBalanceOut(
        available_units=mine.available.units,
        pot_units=mine.pot.units,
        earned_units=mine.earned.units,
        held_units=mine.held.units,
        held_reason=mine.held_reason,
        payouts_waiting_units=mine.payouts_waiting.units,
        dues_units=mine.dues.units,
        text=f"{mine.available} available, {mine.pot} in the pot of {mine.month}",
    )


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


def tell_payout(payout: PayoutRecord) -> PayoutOut:
    """A payout as it is told, with words on its state."""
    state, sat = payout.state, payout.asset is Asset.SAT
    claimable = not sat and _CLAIM in (payout.reason or "")
    return PayoutOut(
        id=payout.id,
        kind=cast('Literal["creator", "withdrawal"]', str(payout.kind)),
        month=None if payout.month is None else str(payout.month),
        asset=cast("AssetName", str(payout.asset)),
        amount_units=payout.units,
        amount_msat=payout.units if sat else None,
        text=str(Amount(payout.units, payout.asset)),
        target=payout.target,
        state=cast('Literal["due", "in_flight", "paid", "held", "returned"]', str(state)),
        words=_CLAIM_WORDS if claimable else (_WORDS if sat else _USD_WORDS)[state],
        reason=payout.reason,
        claimable=claimable,
        tries=payout.tries,
        next_try_s=payout.next_try_s if state is PayoutState.DUE else None,
        created_s=payout.created_us // 1_000_000,
        paid_s=None if payout.paid_us is None else payout.paid_us // 1_000_000,
        fee_msat=payout.fee_units if sat else None,
        payment_hash=payout.reference if sat else None,
        preimage=payout.proof if sat else None,
        transaction=None if sat else payout.proof,
    )
