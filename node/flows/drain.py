"""Stop sending and wait until nothing is in flight, so that LND may be stopped.

LND that is stopped in the middle of a payment can keep it open for ever (design.md §6). So first
the breaker opens, then every open payment is asked about until it has ended. What LND does not show
was never begun: it is sent again after `resume`. What is in LIMBO waits for a person anyway.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from node.clock import now_s
from node.flows.lease import LEASE_S
from node.flows.node import Node
from node.flows.operator.access import COMMAND_LINE
from node.flows.operator.acts import pause
from node.flows.pay import SEND_WITHIN_S
from node.settlement.attempt import Attempt, AttemptState
from node.store import attempts

REASON: Final = "drained by the operator"
LOOK_EVERY_S: Final = 1.0
SHOWN_WITHIN_S: Final = 10
"""LND needs up to a second to show a payment that it has begun (reliability §0, fact 1)."""
UNSEEN_S: Final = LEASE_S - SEND_WITHIN_S + SHOWN_WITHIN_S
"""For so long a payer that stood still may send what it stored before the breaker opened."""
ATTEMPTS_MAX: Final = 100_000


@dataclass(frozen=True, slots=True)
class Drained:
    """What was left: in flight (none, if it is done), never begun, in LIMBO."""

    in_flight: int
    not_begun: int
    limbo: int
    words: tuple[str, ...] = ()

    @property
    def done(self) -> bool:
        """Whether LND may be stopped."""
        return self.in_flight == 0


@dataclass(slots=True)
class _Watch:
    """Since when each attempt was not shown by LND, in seconds."""

    unseen_since_s: dict[str, int] = field(default_factory=dict)

    def is_open(self, attempt: Attempt, at_s: int) -> bool:
        if attempt.state is AttemptState.READY:
            return False
        since_s = self.unseen_since_s.setdefault(attempt.id, at_s)
        return attempt.seen or at_s - since_s < UNSEEN_S


async def drain(node: Node, timeout_s: float, progress: Callable[[Drained], None]) -> Drained:
    """Open the breaker and wait for what is in flight, at most so long."""
    # The stablecoin's chain needs no waiting: what is signed is stored.
    await pause(node.store, node.clock, COMMAND_LINE, REASON)
    watch, until_s = _Watch(), now_s(node.clock) + timeout_s
    while True:
        report = await node.payer.settle_only()
        left = await _left(node, watch, tuple(report.words))
        progress(left)
        if left.done or now_s(node.clock) >= until_s:
            return left
        await node.clock.sleep(LOOK_EVERY_S)


async def _left(node: Node, watch: _Watch, words: tuple[str, ...]) -> Drained:
    async with node.store.read() as tx:
        live = await attempts.live(tx, node.rail.name, ATTEMPTS_MAX)
    limbo = [one for one in live if one.state is AttemptState.LIMBO]
    others = [one for one in live if one.state is not AttemptState.LIMBO]
    in_flight = sum(watch.is_open(one, now_s(node.clock)) for one in others)
    return Drained(in_flight, len(others) - in_flight, len(limbo), words)
