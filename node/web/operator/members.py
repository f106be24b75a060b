"""Members: found by a part of their name; suspended, with a reason, and let go on."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from node.flows.operator import acts
from node.flows.operator.lists import find_members, member_view
from node.ids import MemberId
from node.web.operator.months import page_number
from node.web.operator.page import ANSWER, OperatorCall, OperatorPage

ROWS: Final = 50
SUSPEND: Final = "suspend member {member}"
LIFT: Final = "lift the suspension of member {member}"
NAME_MAX: Final = 100


async def show_members(call: OperatorCall) -> web.Response:
    """GET /members."""
    name, page = call.asked("name").strip()[:NAME_MAX], page_number(call.asked("page"))
    rows = await find_members(call.node.store, name, page * ROWS, ROWS + 1)
    return call.render(
        "members.html", rows=rows[:ROWS], more=len(rows) > ROWS, number=page, name=name
    )


async def show_member(call: OperatorCall) -> web.Response:
    """GET /members/{member}."""
    member = MemberId(call.row_id("member"))
    seen = await member_view(call.node, member)
    act = LIFT if seen.suspended_us is not None else SUSPEND
    asked = await call.ask(act.format(member=member))
    return call.render("member.html", seen=seen, asked=asked)


async def suspend(call: OperatorCall) -> web.Response:
    """POST /members/{member}/suspend."""
    member, words = MemberId(call.row_id("member")), acts.demand_reason(call.field("words"))
    name = await acts.set_suspended(
        call.node.store, call.node.clock, call.actor, member, suspended=True, words=words
    )
    return call.to(f"/members/{member}", said=call.gettext("Suspended:") + f" {name}")


async def lift(call: OperatorCall) -> web.Response:
    """POST /members/{member}/lift."""
    member = MemberId(call.row_id("member"))
    name = await acts.set_suspended(
        call.node.store, call.node.clock, call.actor, member, suspended=False,
        words=call.field("words"),
    )  # fmt: skip
    return call.to(f"/members/{member}", said=call.gettext("No longer suspended:") + f" {name}")


PAGES: Final = (
    OperatorPage("GET", "/members", "find a member", show_members, query=("name", "page")),
    OperatorPage("GET", "/members/{member}", "one member", show_member),
    OperatorPage("POST", "/members/{member}/suspend", "suspend it", suspend,
                 fields=(ANSWER, "words"), back="/members/{member}", act=SUSPEND),
    OperatorPage("POST", "/members/{member}/lift", "lift the suspension", lift,
                 fields=(ANSWER, "words"), back="/members/{member}", act=LIFT),
)  # fmt: skip
