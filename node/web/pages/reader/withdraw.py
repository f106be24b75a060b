"""Available money out again: to an invoice or a Lightning address, and what became of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from node.errors import NotFound, Rejected
from node.flows import look, statement
from node.flows.statement import Balance
from node.flows.withdraw import withdraw
from node.money import Amount, Asset
from node.settlement.fees import most_with_fee
from node.settlement.payout import PayoutKind, PayoutState
from node.store.engine import NEWEST
from node.store.history import PayoutRecord
from node.web.pages import events, forms
from node.web.pages.page import Page, PageCall
from node.web.pages.refusals import sentence
from node.web.pages.render import redirect, render

READ: Final = 100
SHOWN: Final = 20
_OVER: Final = frozenset({PayoutState.PAID, PayoutState.RETURNED})


@dataclass(frozen=True, slots=True)
class WithdrawalView:
    """One withdrawal."""

    id: str
    state: str
    amount: Amount
    target: str
    reason: str
    created_s: int
    paid_s: int | None
    next_try_s: int | None
    fee: Amount | None
    payment_hash: str | None
    preimage: str | None
    over: bool


@dataclass(frozen=True, slots=True)
class WithdrawView:
    """The form, and the latest withdrawals."""

    balance: Balance
    most: Amount
    """The most that can be withdrawn now, with its fee set aside."""
    target: str
    typed: str
    latest: list[WithdrawalView]
    stablecoin: bool


async def show(call: PageCall) -> web.Response:
    """GET /withdraw."""
    return await _show(call, 200)


async def send(call: PageCall) -> web.Response:
    """POST /withdraw."""
    node, typed = call.node, call.field("amount")
    try:
        amount = forms.amount(typed) if typed else None
        payout = await withdraw(
            node.store, node.clock, node.rules, call.member, call.field("target"), amount,
            call.once(), node.fetcher.allow,
        )  # fmt: skip
    except Rejected as error:
        call.browser.say_now("error", sentence(error))
        return await _show(call, error.status)
    return redirect(call, f"/withdraw/{payout.id}")


async def show_withdrawal(call: PageCall) -> web.Response:
    """GET /withdraw/{payout}: what became of it."""
    return render(call, "reader/withdrawal.html", withdrawal=_view(await _withdrawal(call)))


async def wait(call: PageCall) -> web.StreamResponse:
    """GET /withdraw/{payout}/events: says when its state has changed."""
    before = (await _withdrawal(call)).state

    async def look_again() -> str:
        state = (await _withdrawal(call)).state
        return "" if state is before else str(state)

    return await events.flip(call, asyncio.Event(), look_again)


async def _withdrawal(call: PageCall) -> PayoutRecord:
    found = await look.payout_of(call.node.store, call.member, call.name("payout"))
    if found.kind is not PayoutKind.WITHDRAWAL:
        raise NotFound("you have no withdrawal with this id")
    return found


async def _show(call: PageCall, status: int) -> web.Response:
    node, posted = call.node, call.page.method == "POST"
    mine = await look.payouts_of(node.store, call.member, READ, NEWEST)
    latest = [one for one in mine if one.kind is PayoutKind.WITHDRAWAL][:SHOWN]
    balance = await statement.balance(node.store, node.clock, node.rules, call.member)
    view = WithdrawView(
        balance=balance,
        most=most_with_fee(balance.available),
        target=call.field("target") if posted else "",
        typed=call.field("amount") if posted else "",
        latest=[_view(one) for one in latest],
        stablecoin=node.stablecoin is not None,
    )
    return render(call, "reader/withdraw.html", view=view, status=status)


def _view(payout: PayoutRecord) -> WithdrawalView:
    state = payout.state
    fee = None if payout.fee_units is None else Amount(payout.fee_units, Asset.SAT)
    return WithdrawalView(
        id=payout.id,
        state=str(state),
        amount=Amount(payout.units, payout.asset),
        target=payout.target or "",
        reason=payout.reason or "",
        created_s=payout.created_us // 1_000_000,
        paid_s=None if payout.paid_us is None else payout.paid_us // 1_000_000,
        next_try_s=payout.next_try_s if state is PayoutState.DUE else None,
        fee=fee,
        payment_hash=payout.reference,
        preimage=payout.proof,
        over=state in _OVER,
    )


PAGES: Final = (
    Page("GET", "/withdraw", "take available money out", show),
    Page("POST", "/withdraw", "send it", send, "fresh", fields=("target", "amount", "once"),
         back="/withdraw"),
    Page("GET", "/withdraw/{payout}", "what became of a withdrawal", show_withdrawal),
    Page("GET", "/withdraw/{payout}/events", "says when it changes (text/event-stream)", wait),
)  # fmt: skip
