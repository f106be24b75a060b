"""Hold payouts that can't be tried, release those whose reason is gone, follow changed targets.

A changed target takes effect 72 hours after the change (design.md §3.12); until then nothing is
paid to that member, neither to the old target nor to the new.
"""

from __future__ import annotations

from typing import Final

from node.clock import Clock
from node.flows.open_payouts import held_reason
from node.flows.rules import Rules
from node.ids import MemberId
from node.money import Asset
from node.settlement.payout import (
    NEEDS_A_PERSON,
    HeldReason,
    Payout,
    PayoutEvent,
    PayoutKind,
    PayoutState,
)
from node.store import members, payouts
from node.store.engine import Store, Tx

PAYOUTS_MAX: Final = 100_000


async def hold_and_release(store: Store, clock: Clock, rules: Rules) -> None:
    """Bring all waiting payouts up to date with their receivers' targets.

    A creator's is the member's; the commission's is in the settings. Withdrawals keep their own.
    """
    async with store.write("pay.follow") as tx:
        where = await members.targets(tx, rules.asset)
        suspended = await members.suspended(tx)
        for state in (PayoutState.DUE, PayoutState.HELD):
            for payout in await payouts.in_state(tx, rules.asset, state, PAYOUTS_MAX):
                match payout.kind:
                    case PayoutKind.CREATOR:
                        target = where.get(payout.member)
                        reason = held_reason(target, payout.member in suspended, clock.now_us())
                        await _follow(tx, payout, target.text if target else None, reason)
                    case PayoutKind.COMMISSION:
                        await _follow(tx, payout, rules.operator_target, None)
                    case PayoutKind.WITHDRAWAL:
                        pass


async def hold_at_once(tx: Tx, member: MemberId, asset: Asset, now_us: int) -> None:
    """The member's target has changed just now, or they were suspended: what is due waits.

    A round that has chosen such a payout before finds it changed, and sends nothing for it.
    """
    target, found = await members.target_of(tx, member, asset), await members.get(tx, member)
    suspended = found is not None and found.suspended_us is not None
    if (reason := held_reason(target, suspended, now_us)) is None:
        return
    for payout in await payouts.due_to(tx, member, asset):
        await payouts.move(tx, payout, PayoutEvent.HELD, reason=reason)


async def _follow(tx: Tx, payout: Payout, target: str | None, reason: HeldReason | None) -> None:
    """`reason`: why nothing can be paid now; None if nothing is in the way."""
    if payout.state is PayoutState.DUE and reason is not None:
        await payouts.move(tx, payout, PayoutEvent.HELD, reason=reason)
        return
    if reason is not None or target is None:
        return
    changed = payout.target != target
    if payout.state is PayoutState.HELD and (changed or payout.reason not in NEEDS_A_PERSON):
        await payouts.move(tx, payout, PayoutEvent.RELEASED)
    if changed:
        await payouts.retarget(tx, payout, target)
