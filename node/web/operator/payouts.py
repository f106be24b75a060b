"""Payouts by state, with the reason and what can be done; and what is held or waits, in sums."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from node.errors import BadInput
from node.flows.operator import acts
from node.flows.operator.lists import held, list_payouts
from node.ids import PayoutId
from node.money import Asset
from node.settlement.payout import NEEDS_A_PERSON, PayoutState
from node.web.operator.months import page_number
from node.web.operator.page import OperatorCall, OperatorPage

ROWS: Final = 50


async def show(call: OperatorCall) -> web.Response:
    """GET /payouts."""
    state, asset = _state(call.asked("state")), _asset(call.asked("asset"))
    page = page_number(call.asked("page"))
    rows = await list_payouts(call.node.store, asset, state, page * ROWS, ROWS + 1)
    return call.render(
        "payouts.html", rows=rows[:ROWS], more=len(rows) > ROWS, number=page, state=state,
        asset=asset, states_all=list(PayoutState), needs_a_person=NEEDS_A_PERSON,
        two=call.node.stablecoin is not None,
    )  # fmt: skip


async def retry(call: OperatorCall) -> web.Response:
    """POST /payouts/{payout}/retry: another week of tries."""
    payout = PayoutId(call.name("payout"))
    await acts.retry_payout(call.node.store, call.node.clock, call.actor, payout)
    return call.to("/payouts", said=call.gettext("It is tried again now."))


async def show_held(call: OperatorCall) -> web.Response:
    """GET /held."""
    return call.render(
        "held.html", assets=await held(call.node), days=call.node.settings.money.held_days
    )


def _state(text: str) -> PayoutState | None:
    try:
        return PayoutState(text) if text else None
    except ValueError as error:
        raise BadInput("payouts have no such state") from error


def _asset(text: str) -> Asset:
    try:
        return Asset(text) if text else Asset.SAT
    except ValueError as error:
        raise BadInput("there is no such asset") from error


PAGES: Final = (
    OperatorPage("GET", "/payouts", "payouts by state", show, query=("state", "asset", "page")),
    OperatorPage("POST", "/payouts/{payout}/retry", "try it again", retry, back="/payouts"),
    OperatorPage("GET", "/held", "what is held, and what waits", show_held),
)  # fmt: skip
