"""The first page: what is wrong and how to mend it, then how the money stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aiohttp import web

from node.clock import now_s
from node.flows.audits.audit import audit, stop_on_breach
from node.flows.operator import acts
from node.flows.operator.months import open_months
from node.flows.operator.overview import AssetView, overview
from node.money import Amount
from node.web.operator.page import ANSWER, OperatorCall, OperatorPage
from node.web.pages import formats
from node.web.pages.pictures import Chart, chart

RESUME: Final = "resume sending"
CHART_MONTHS: Final = 12


async def show(call: OperatorCall) -> web.Response:
    """GET /: the checks; and once they are good, the figures come first."""
    node = call.node
    findings = await call.console.checks.look(again=bool(call.asked("again")))
    seen = await overview(node)
    return call.render(
        "dashboard.html", findings=findings, seen=seen, bad=sum(not one.good for one in findings),
        stopped=await acts.stopped(node.store), months=await open_months(node),
        charts=[_charts(call, view) for view in seen.assets], now_s=now_s(node.clock),
        needs_approval=node.settings.money.close_needs_approval,
    )  # fmt: skip


async def pause(call: OperatorCall) -> web.Response:
    """POST /pause: nothing more is sent. It needs no passkey: to stop must be quick."""
    reason = " ".join(call.field("reason").split())
    words = f"{acts.PAUSED}: {reason}"[:200] if reason else acts.PAUSED
    await acts.pause(call.node.store, call.node.clock, call.actor, words)
    return call.to("/", said=call.gettext("Sending is stopped. What is on its way is settled."))


async def show_resume(call: OperatorCall) -> web.Response:
    """GET /resume: why it was stopped, and the form that lets it go on."""
    stopped = await acts.stopped(call.node.store)
    return call.render("resume.html", stopped=stopped, asked=await call.ask(RESUME))


async def resume(call: OperatorCall) -> web.Response:
    """POST /resume."""
    await acts.resume(call.node.store, call.node.clock, call.actor)
    return call.to("/", said=call.gettext("Payments are sent again."))


async def show_audit(call: OperatorCall) -> web.Response:
    """GET /audit: what the last one said."""
    seen = await overview(call.node)
    return call.render("audit.html", last=seen.audit, report=None)


async def run_audit(call: OperatorCall) -> web.Response:
    """POST /audit: all of it, now. A breach stops sending."""
    node = call.node
    report = await audit(node.store, node.clock, node.lnd, node.stablecoin)
    await stop_on_breach(node.store, node.clock, report)
    return call.render("audit.html", last=None, report=report)


def _charts(call: OperatorCall, view: AssetView) -> tuple[Chart, Chart]:
    """(what each month distributed, what its payouts cost), oldest month first."""
    written = formats.filters(call.language)
    distributed = [
        (str(one.month)[2:], Amount(one.figures.distributed, view.asset))
        for one in reversed(view.months[:CHART_MONTHS])
    ]
    fees = [(str(one.month)[2:], one.fees) for one in reversed(view.fees_by_month[:CHART_MONTHS])]

    def drawn(points: Sequence[tuple[str, Amount]]) -> Chart:
        return chart([(label, one.units, written["number"](_coins(one))) for label, one in points])

    return drawn(distributed), drawn(fees)


def _coins(amount: Amount) -> int:
    """Whole coins, for a label; a tenth of a cent says nothing in a chart."""
    return amount.whole_coins()[0].units // amount.asset.units_per_coin


PAGES: Final = (
    OperatorPage("GET", "/", "checks, money, payouts", show, query=("again",)),
    OperatorPage("POST", "/pause", "send nothing more", pause, fields=("reason",)),
    OperatorPage("GET", "/resume", "why nothing is sent", show_resume),
    OperatorPage("POST", "/resume", "send again", resume, fields=(ANSWER,), back="/resume",
                 act=RESUME),
    OperatorPage("GET", "/audit", "what the last audit said", show_audit),
    OperatorPage("POST", "/audit", "audit everything now", run_audit, back="/audit"),
)  # fmt: skip
