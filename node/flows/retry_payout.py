"""Give a payout that is held for want of a route another week of tries, on the operator's word."""

from __future__ import annotations

from node.errors import Conflict, NotFound
from node.ids import PayoutId
from node.settlement.payout import NEEDS_A_PERSON, PayoutEvent, PayoutState
from node.store import payouts
from node.store.engine import Tx


async def retry(tx: Tx, payout_id: PayoutId) -> None:
    """Make it due now. Raises NotFound, Conflict when it waits for something else."""
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
    await payouts.move(tx, payout, PayoutEvent.RELEASED)
    await payouts.retarget(tx, payout, payout.target)
