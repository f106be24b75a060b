"""What the operator may do, by console or command line: done and logged in one transaction.

pause, resume      the rails' breakers, which `drain` and a breach open, too
suspend, lift      a member
approve            a month, where the settings say that closes wait for it
retry              a payout that needs a person
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from node.clock import Clock, now_s
from node.config import Settings
from node.errors import BadInput, BadMonth, Conflict, NotFound
from node.flows.hold import hold_at_once
from node.flows.node import Node
from node.flows.retry_payout import retry
from node.flows.vault.stablecoin import RAIL as STABLECOIN
from node.ids import MemberId, PayoutId
from node.money import Asset
from node.month import Month
from node.store import approvals, leases, members, operator_log
from node.store.approvals import Approval
from node.store.engine import Store
from node.store.operator_log import Act

LIGHTNING: Final = "lightning"
RAILS: Final = (LIGHTNING, STABLECOIN)
PAUSED: Final = "paused by the operator"
SENDING: Final = "sending"
"""The subject of what stops it and lets it go on."""
_WORDS_MAX: Final = 500


async def pause(store: Store, clock: Clock, actor: str, reason: str = PAUSED) -> bool:
    """Stop sending on both rails: when this returns nothing new is sent. False: it was stopped.

    What is in flight goes on, and is settled. A reason that stands already is kept.
    """
    now_us = clock.now_us()
    async with store.write("breaker.pause") as tx:
        stopped = [await leases.stopped(tx, rail) for rail in RAILS]
        for rail in RAILS:
            await leases.halt(tx, rail, reason, now_us)
        if all(stopped):
            return False
        await operator_log.append(tx, Act(actor, "stopped", SENDING, reason), now_us)
    return True


async def resume(store: Store, clock: Clock, actor: str) -> str:
    """Send again on both rails; why sending was stopped, empty if it was not.

    Raises Conflict while a rail is in quarantine: only `reconcile` ends that.
    """
    async with store.write("breaker.resume") as tx:
        for rail in RAILS:
            if (words := await leases.quarantined(tx, rail)) is not None:
                raise Conflict(f"{rail} is in quarantine, {words}")
        reasons = [await leases.stopped(tx, rail) for rail in RAILS]
        for rail in RAILS:
            await leases.resume(tx, rail)
        was = "; ".join(dict.fromkeys(reason for reason in reasons if reason is not None))
        if was:
            act = Act(actor, "resumed", SENDING, f"it was: {was}"[:_WORDS_MAX])
            await operator_log.append(tx, act, clock.now_us())
    return was


async def stopped(store: Store) -> dict[str, str]:
    """The rails on which nothing is sent, and why."""
    async with store.read() as tx:
        reasons = {rail: await leases.stopped(tx, rail) for rail in RAILS}
    return {rail: reason for rail, reason in reasons.items() if reason is not None}


async def set_suspended(
    store: Store, clock: Clock, actor: str, member: MemberId, *, suspended: bool, words: str = ""
) -> str:
    """Suspend a member, or lift it; the name. Raises NotFound, Conflict when it is so already."""
    now_us = clock.now_us()
    async with store.write("member.suspend") as tx:
        found = await members.get(tx, member)
        if found is None:
            raise NotFound("there is no such member")
        if (found.suspended_us is not None) is suspended:
            raise Conflict(f"{found.name} is {'' if suspended else 'not '}suspended already")
        await members.set_suspended(tx, member, now_us if suspended else None)
        for asset in (Asset.SAT, Asset.USD):
            await hold_at_once(tx, member, asset, now_us)
        done = "suspended" if suspended else "lifted the suspension of"
        act = Act(actor, done, f"member {found.name}", words[:_WORDS_MAX])
        await operator_log.append(tx, act, now_us)
    return found.name


async def retry_payout(store: Store, clock: Clock, actor: str, payout: PayoutId) -> None:
    """Try a payout again that has given up. Raises NotFound, Conflict."""
    async with store.write("pay.retry") as tx:
        await retry(tx, payout)
        await operator_log.append(tx, Act(actor, "retried", f"payout {payout}"), clock.now_us())


async def approve(node: Node, actor: str, month: Month, words: str = "") -> bool:
    """Let a month that is over be closed, in every asset; False if it was approved already.

    Raises BadMonth before the month's end.
    """
    clock = node.clock
    if now_s(clock) < month.ends_s:
        raise BadMonth(f"{month} is not over: it can be approved from its end (UTC) on")
    assets = [Asset.SAT] if node.stablecoin is None else [Asset.SAT, Asset.USD]
    async with node.store.write("close.approve") as tx:
        made = [
            await approvals.approve(tx, Approval(month, asset, actor, clock.now_us()))
            for asset in assets
        ]
        if any(made):
            act = Act(actor, "approved", f"close {month}", words[:_WORDS_MAX])
            await operator_log.append(tx, act, clock.now_us())
    return any(made)


async def may_close(
    store: Store, settings: Settings, asset: Asset, months: Sequence[Month]
) -> list[Month]:
    """Those of the months, in order, that may be closed now: up to the first not approved.

    A month whose close has begun is among them: it can't be taken back.
    """
    if not settings.money.close_needs_approval:
        return list(months)
    async with store.read() as tx:
        known = await approvals.begun_or_approved(tx, asset)
    allowed: list[Month] = []
    for month in months:
        if month not in known:
            break
        allowed.append(month)
    return allowed


async def log(store: Store, clock: Clock, act: Act) -> None:
    """Log what was done elsewhere."""
    async with store.write() as tx:
        await operator_log.append(tx, act, clock.now_us())


def demand_reason(words: str) -> str:
    """A reason that somebody typed, in one line. Raises BadInput when it is missing."""
    line = " ".join(words.split())
    if not line:
        raise BadInput("say why: it stays in the log")
    return line[:_WORDS_MAX]
