"""Idempotency-Keys of requests whose flow has no key of its own: the first answer is kept.

A flow that is run here again by a crash between its commit and the keeping of its answer must be
harmless to run again: naming a thing, filling a pot under the same key, subscribing. An answer is
kept for 30 days.
"""

from __future__ import annotations

from typing import Final

from node.clock import Clock
from node.errors import KeyReused
from node.ids import MemberId
from node.store import leases
from node.store.engine import Store
from node.store.leases import Answered

KEPT_FOR_S: Final = 30 * 86_400
FORGET_AT_ONCE: Final = 1000


async def recall(store: Store, member: MemberId, key: str, asked: str) -> Answered | None:
    """What was answered to this key before. `asked`: a hash of the request. Raises KeyReused."""
    async with store.read() as tx:
        found = await leases.answered(tx, member, key)
    if found is not None and found.body != asked:
        raise KeyReused("this Idempotency-Key was used for another request: take a new key")
    return found


async def forget_old(store: Store, clock: Clock) -> int:
    """Delete answers that are older than KEPT_FOR_S, some at a time; how many there were."""
    before_us = clock.now_us() - KEPT_FOR_S * 1_000_000
    total = 0
    while True:
        async with store.write() as tx:
            gone = await leases.forget_answers(tx, before_us, FORGET_AT_ONCE)
        total += gone
        if gone < FORGET_AT_ONCE:
            return total


async def keep(
    store: Store, clock: Clock, member: MemberId, key: str, asked: str, status: int, answer: str
) -> Answered:
    """Keep an answer; the one that was kept first. Raises KeyReused when two requests raced."""
    async with store.write() as tx:
        await leases.remember(tx, member, key, Answered(asked, status, answer), clock.now_us())
    found = await recall(store, member, key, asked)
    assert found is not None, "it was kept above"
    return found
