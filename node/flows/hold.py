"""Hold payouts that can't be tried, release those whose reason is gone, follow changed targets.

A changed target takes effect 72 hours after the change (design.md §3.12); until then nothing is
paid to that member, neither to the old target nor to the new.
"""

from __future__ import annotations

from typing import Final

from node.clock import Clock
from node.flows.open_payouts import held_reason
from node.money import Asset
from node.settlement.payout import HeldReason, Payout, PayoutEvent, PayoutKind, PayoutState
from node.store import members, payouts
from node.store.engine import Store, Tx
from node.store.members import StoredTarget

PAYOUTS_MAX: Final = 100_000


async def hold_and_release(store: Store, clock: Clock, asset: Asset) -> None:
    """Bring every creator's waiting payouts up to date with the creator's target."""
    async with store.write() as tx:
        where = await members.targets(tx, asset)
        suspended = await members.suspended(tx)
        for state in (PayoutState.DUE, PayoutState.HELD):
            for payout in await payouts.in_state(tx, asset, state, PAYOUTS_MAX):
                if payout.kind is PayoutKind.CREATOR:
                    target = where.get(payout.member)
                    reason = held_reason(target, payout.member in suspended, clock.now_us())
                    await _follow(tx, payout, target, reason)


async def _follow(
    tx: Tx, payout: Payout, target: StoredTarget | None, reason: HeldReason | None
) -> None:
    if payout.state is PayoutState.DUE and reason is not None:
        await payouts.move(tx, payout, PayoutEvent.HELD, reason=reason)
        return
    if reason is not None or target is None:
        return
    changed = payout.target != target.text
    if payout.state is PayoutState.HELD and (changed or payout.reason != HeldReason.NO_ROUTE):
        await payouts.move(tx, payout, PayoutEvent.RELEASED)
    if changed:
        await payouts.retarget(tx, payout, target.text)
