"""All that the node has of a member, and the end of an account."""

from __future__ import annotations

from node.flows.export.everything import everything
from node.flows.leave import leave, look_at_leaving
from node.flows.look import member_of, payout_of
from node.flows.retry_payout import retry_own
from node.ids import PayoutId
from node.money import Amount, Asset
from node.web.api_money import tell_payout
from node.web.downloads import JSON, Download
from node.web.endpoint import Call
from node.web.models.account import LeaveQuery, LeavingOut, LeftOut
from node.web.models.money import PayoutOut


async def export(call: Call) -> Download:
    """GET /me/export."""
    who = await member_of(call.node.store, call.member)
    return Download(f"flattr-{who.name}.json", JSON, everything(call.node, who.id))


async def read_leaving(call: Call) -> LeavingOut:
    """GET /me/closing."""
    if call.node.stablecoin is not None:
        call.desk.limits.count_chain(call.member)
    found = await look_at_leaving(call.node, call.member)
    return LeavingOut(
        in_the_way=list(found.in_the_way),
        leaves_msat=found.left_units(Asset.SAT),
        leaves_units=found.left_units(Asset.USD),
    )


async def close_account(call: Call, asked: LeaveQuery) -> LeftOut:
    """DELETE /me."""
    if call.node.stablecoin is not None:
        call.desk.limits.count_chain(call.member)
    left = (Amount(asked.leaves_msat, Asset.SAT), Amount(asked.leaves_units, Asset.USD))
    released = await leave(call.node, call.member, asked.name, left, fresh=False)
    call.desk.sessions.forget_members(call.member)
    for thing in released:
        call.desk.things.forget(thing)
    return LeftOut(name=asked.name, things_released=len(released))


async def retry_payout(call: Call) -> PayoutOut:
    """POST /payouts/{payout}/retry."""
    node, payout = call.node, PayoutId(call.name("payout"))
    await retry_own(node.store, node.clock, call.member, payout)
    return tell_payout(await payout_of(node.store, call.member, payout))
