"""A creator's payouts and withdrawals: where each stands, its proof, and another try."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from aiohttp import web

from node.clock import now_s
from node.flows import look, statement
from node.flows.retry_payout import retry_own
from node.flows.statement import Balance
from node.ids import PayoutId
from node.money import Amount, Asset
from node.month import Month
from node.settlement.payout import HeldReason, PayoutKind, PayoutState
from node.store.history import PayoutRecord
from node.wallet.stablecoin.networks import chain_network
from node.web import cursor
from node.web.pages.page import Page, PageCall
from node.web.pages.render import redirect, render

PATH: Final = "/creator/payouts"
SHOWN: Final = 25
Mend = Literal["", "retry", "target", "wait"]
_SECOND_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class PayoutView:
    """One payout. `mend`: what its receiver can do: try again, set a target, wait; or nothing.

    `proof` is the preimage of `payment_hash`, or the hash of a transaction.
    """

    id: str
    kind: PayoutKind
    month: Month | None
    amount: Amount
    lightning: bool
    state: str
    reason: str | None
    target: str | None
    fee: Amount | None
    own_fee: bool
    created_s: int
    paid_s: int | None
    next_try_s: int | None
    payment_hash: str | None
    proof: str | None
    proof_url: str | None
    """Where anybody sees the transaction, where the chain has such a place."""
    mend: Mend


@dataclass(frozen=True, slots=True)
class PayoutsView:
    """A page of payouts, newest first, and what has not become one yet.

    `feed`: the address of the feed that was just made, which is shown this once; empty: none was.
    """

    payouts: list[PayoutView]
    balances: list[Balance]
    next: str | None
    feed: str


async def show(call: PageCall) -> web.Response:
    """GET /creator/payouts."""
    return await show_with(call, "")


async def show_with(call: PageCall, feed: str) -> web.Response:
    """The page, with the address of a feed that was just made; empty: none was."""
    node = call.node
    after = cursor.read(call.asked("after") or None)
    found = await look.payouts_of(node.store, call.member, SHOWN, after)
    at_s = now_s(node.clock)
    chain = None if node.stablecoin is None else node.stablecoin.network
    view = PayoutsView(
        [_view(one, at_s, chain) for one in found],
        [
            await statement.balance(node.store, node.clock, rules, call.member)
            for rules in node.every_rules
        ],
        cursor.after([(one.created_us, one.id) for one in found], SHOWN),
        feed,
    )
    return render(call, "creator/payouts.html", view=view)


async def retry(call: PageCall) -> web.Response:
    """POST /creator/payouts/{payout}/retry."""
    node = call.node
    await retry_own(node.store, node.clock, call.member, PayoutId(call.name("payout")))
    said = call.gettext("It is tried again in a moment.")
    return redirect(call, PATH, said=said)


def mend_of(one: PayoutRecord, *, later: bool) -> Mend:
    """What the receiver of a payout can do; `later`: its next try is not yet."""
    match one.state:
        case PayoutState.DUE:
            return "retry" if later else ""
        case PayoutState.HELD if one.reason == HeldReason.NO_TARGET:
            return "target"
        case PayoutState.HELD if one.reason in {HeldReason.TARGET_CHANGED, HeldReason.SUSPENDED}:
            return "wait"
        case PayoutState.HELD:
            return "retry"
        case PayoutState.IN_FLIGHT | PayoutState.PAID | PayoutState.RETURNED:
            return ""


def _view(one: PayoutRecord, at_s: int, chain: str | None) -> PayoutView:
    later = one.state is PayoutState.DUE and one.next_try_s > at_s
    return PayoutView(
        id=one.id,
        kind=one.kind,
        month=one.month,
        amount=Amount(one.units, one.asset),
        lightning=one.asset is Asset.SAT,
        state=one.state.value,
        reason=one.reason,
        target=one.target,
        fee=None if one.fee_units is None else Amount(one.fee_units, one.asset),
        own_fee=one.kind is PayoutKind.WITHDRAWAL,
        created_s=one.created_us // _SECOND_US,
        paid_s=None if one.paid_us is None else one.paid_us // _SECOND_US,
        next_try_s=one.next_try_s if later else None,
        payment_hash=one.reference if one.asset is Asset.SAT else None,
        proof=one.proof,
        proof_url=None if one.asset is Asset.SAT else transaction_url(chain, one.proof),
        mend=mend_of(one, later=later),
    )


def transaction_url(chain: str | None, transaction: str | None) -> str | None:
    """Where people see a transaction of the stablecoin's chain; None: nowhere, or there is none."""
    if chain is None or transaction is None:
        return None
    return chain_network(chain).transaction_url(transaction)


PAGES: Final = (
    Page("GET", PATH, "my payouts, with their proofs", show, query=("after",)),
    Page("POST", PATH + "/{payout}/retry", "try it again now", retry, back=PATH),
)  # fmt: skip
