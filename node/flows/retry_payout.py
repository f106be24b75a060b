"""Another try for a payout that waits: on the operator's word, or on that of whom it is for.

Neither can lead to a second payment: a payout that is due again is paid by the same machine, which
first asks about every attempt that there was (`pay.py`), and one that is in flight is left alone.
"""

from __future__ import annotations

from node.clock import Clock
from node.errors import Conflict, NotFound
from node.flows.open_payouts import held_reason
from node.ids import MemberId, PayoutId
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


async def retry(tx: Tx, payout_id: PayoutId) -> None:
    """Make it due now, with another week of tries. Raises NotFound, Conflict when it waits."""
    payout = await payouts.get(tx, payout_id)
    if payout is None:
        raise NotFound(f"there is no payout {payout_id}: flattr-node payouts lists them")
    if payout.state is PayoutState.DUE:
        await payouts.retarget(tx, payout, payout.target)
        return
    if payout.state is not PayoutState.HELD:
        raise Conflict(f"payout {payout_id} is {payout.state}: only held ones are retried")
    if payout.reason not in NEEDS_A_PERSON:
        raise Conflict(f"payout {payout_id} is held because {payout.reason}: change that first")
    await _release(tx, payout, payout.target)


async def retry_own(store: Store, clock: Clock, member: MemberId, payout_id: PayoutId) -> None:
    """Try the member's own payout in the next round, to the target that the member has now.

    One that is due keeps its number of tries, so that asking again and again ends as waiting does.
    Raises NotFound, for another's as well; Conflict, with what to do first.
    """
    async with store.write("pay.ask_again") as tx:
        payout = await payouts.get(tx, payout_id)
        if payout is None or payout.member != member or payout.kind is PayoutKind.COMMISSION:
            raise NotFound("you have no payout with this id")
        target = await _target_now(tx, clock, payout)
        match payout.state:
            case PayoutState.DUE if payout.target == target:
                await payouts.hasten(tx, payout)
            case PayoutState.DUE:
                await payouts.retarget(tx, payout, target)
            case PayoutState.HELD:
                await _release(tx, payout, target)
            case PayoutState.IN_FLIGHT:
                raise Conflict("it is on its way: whether it arrived is known soon")
            case PayoutState.PAID | PayoutState.RETURNED:
                raise Conflict(f"it is {payout.state}: there is nothing to try again")


async def _target_now(tx: Tx, clock: Clock, payout: Payout) -> str | None:
    """Where it is paid to; a withdrawal keeps its own. Raises Conflict when nothing can be paid."""
    if payout.kind is PayoutKind.WITHDRAWAL:
        return payout.target
    found = await members.target_of(tx, payout.member, payout.amount.asset)
    who = await members.get(tx, payout.member)
    suspended = who is not None and who.suspended_us is not None
    match held_reason(found, suspended, clock.now_us()):
        case None:
            return found.text if found else None
        case HeldReason.NO_TARGET:
            raise Conflict("set a payout target first: then it is paid by itself")
        case HeldReason.TARGET_CHANGED:
            raise Conflict("your payout target was changed: it is paid by itself after 72 hours")
        case _ as reason:
            raise Conflict(f"it waits because {reason}")


async def _release(tx: Tx, payout: Payout, target: str | None) -> None:
    """Make a held payout due, with no tries behind it."""
    await payouts.move(tx, payout, PayoutEvent.RELEASED)
    await payouts.retarget(tx, payout, target)
