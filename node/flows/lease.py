"""The lease of the one process that pays on a rail: taking it, and writing under it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from node.clock import Clock
from node.errors import LeaseLost
from node.store import leases
from node.store.engine import Store, Tx
from node.store.leases import Lease

LEASE_S: Final = 120


async def take_lease(store: Store, clock: Clock, rail: str, holder: str) -> Lease:
    """The right to pay on a rail alone. Raises LeaseLost while another process has it."""
    async with store.write("lease.take") as tx:
        lease = await leases.take(tx, f"pay.{rail}", holder, clock.now_us(), _until_us(clock))
    if lease is None:
        raise LeaseLost(f"another process pays on {rail}")
    return lease


async def renew_lease(tx: Tx, clock: Clock, lease: Lease) -> int:
    """Go on only with the lease, and prolong it; until when (in us). Raises LeaseLost."""
    until_us = _until_us(clock)
    await leases.renew(tx, lease, clock.now_us(), until_us)
    return until_us


@asynccontextmanager
async def writing(store: Store, clock: Clock, lease: Lease, step: str) -> AsyncIterator[Tx]:
    """A write transaction that begins by prolonging the lease; `step` names its failpoints.

    Raises LeaseLost when another process has it by now: what was read before may be old.
    """
    async with store.write(step) as tx:
        await renew_lease(tx, clock, lease)
        yield tx


def _until_us(clock: Clock) -> int:
    return clock.now_us() + LEASE_S * 1_000_000
