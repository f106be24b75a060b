"""Money in over Lightning: how much, the invoice, and the page that flips when it is paid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from node.clock import now_s
from node.errors import RailUnavailable, Rejected
from node.flows import fund, look, statement
from node.flows.statement import Balance
from node.money import Amount, sats
from node.store.deposits import Deposit
from node.store.engine import NEWEST
from node.web.pages import events, forms
from node.web.pages.page import Page, PageCall
from node.web.pages.refusals import sentence
from node.web.pages.render import redirect, render

CHIPS_SAT: Final = (1000, 5000, 10_000, 21_000)
SHOWN: Final = 10
OTHER: Final = "other"


@dataclass(frozen=True, slots=True)
class FundView:
    """What the page of amounts shows."""

    chips: tuple[Amount, ...]
    chosen: str
    typed: str
    to: str
    smallest: Amount
    largest: Amount
    balance: Balance
    deposits: list[DepositView]
    stablecoin: bool


@dataclass(frozen=True, slots=True)
class DepositView:
    """One deposit. `state`: open, settled, or expired from the moment that the invoice is."""

    id: str
    state: str
    to_pot: bool
    amount: Amount
    paid: Amount | None
    more: Amount | None
    """What was paid beyond the amount."""
    created_s: int
    expires_s: int
    seconds_left: int
    settled_s: int | None
    invoice: str | None


async def show(call: PageCall) -> web.Response:
    """GET /fund."""
    return await _show(call, chosen="5000")


async def ask(call: PageCall) -> web.Response:
    """POST /fund: an invoice."""
    chosen, to = call.field("amount"), call.field("to")
    try:
        typed = call.field(OTHER) if chosen in {OTHER, ""} else chosen
        amount = forms.amount(typed)
        made = await fund.ask_deposit(
            call.node.funding, call.member, amount, to_pot=to != "available", key=call.once()
        )
    except RailUnavailable:  # the deposit is stored, and its page says that it has no invoice
        return redirect(call, f"/fund/{fund.deposit_id_of(call.member, call.once())}")
    except Rejected as error:
        call.browser.say_now("error", sentence(error))
        return await _show(call, chosen, status=error.status)
    return redirect(call, f"/fund/{made.id}")


async def show_deposit(call: PageCall) -> web.Response:
    """GET /fund/{deposit}: the invoice, or what became of it."""
    deposit = _view(await _deposit(call), now_s(call.node.clock))
    return render(call, "reader/deposit.html", deposit=deposit)


async def wait(call: PageCall) -> web.StreamResponse:
    """GET /fund/{deposit}/events: says when it is paid or expired."""
    before = _view(await _deposit(call), now_s(call.node.clock)).state

    async def look_again() -> str:
        state = _view(await _deposit(call), now_s(call.node.clock)).state
        return "" if state == "open" or state == before == "expired" else state

    with call.node.arrivals.watch(call.name("deposit")) as arrived:
        return await events.flip(call, arrived, look_again)


async def _deposit(call: PageCall) -> Deposit:
    return await look.deposit_of(call.node.store, call.member, call.name("deposit"))


async def _show(call: PageCall, chosen: str, *, status: int = 200) -> web.Response:
    node, posted = call.node, call.page.method == "POST"
    rules, at_s = node.rules, now_s(node.clock)
    found = await look.deposits_of(node.store, call.member, SHOWN, NEWEST)
    chips = [sats(one) for one in CHIPS_SAT if rules.deposit_min <= sats(one) <= rules.deposit_max]
    known = {str(one.units // 1000) for one in chips}
    view = FundView(
        chips=tuple(chips),
        chosen=chosen if chosen in known else OTHER,
        typed=call.field(OTHER) if posted else "",
        to=call.field("to") if posted else "pot",
        smallest=rules.deposit_min,
        largest=rules.deposit_max,
        balance=await statement.balance(node.store, node.clock, rules, call.member),
        deposits=[_view(one, at_s) for one in found],
        stablecoin=node.stablecoin is not None,
    )
    return render(call, "reader/fund.html", view=view, status=status)


def _view(deposit: Deposit, at_s: int) -> DepositView:
    amount = Amount(deposit.units)
    paid = None if deposit.paid_units is None else Amount(deposit.paid_units)
    left_s = deposit.expires_s - at_s
    late = deposit.state == "open" and left_s <= 0
    return DepositView(
        id=deposit.id,
        state="expired" if late else deposit.state,
        to_pot=deposit.to_pot,
        amount=amount,
        paid=paid,
        more=paid - amount if paid is not None and paid > amount else None,
        created_s=deposit.created_us // 1_000_000,
        expires_s=deposit.expires_s,
        seconds_left=max(0, left_s),
        settled_s=deposit.settled_s,
        invoice=deposit.payment_request,
    )


PAGES: Final = (
    Page("GET", "/fund", "how much money to put in", show),
    Page("POST", "/fund", "an invoice for it", ask, fields=("amount", "other", "to", "once")),
    Page("GET", "/fund/{deposit}", "one deposit: its invoice, or what became of it", show_deposit),
    Page("GET", "/fund/{deposit}/events", "says when it is paid (text/event-stream)", wait),
)  # fmt: skip
