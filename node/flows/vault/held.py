"""Transactions of the one process that holds the key's lease."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from node.clock import Clock
from node.store import leases
from node.store.engine import Store, Tx
from node.store.leases import Lease

LEASE_S: Final = 120


@asynccontextmanager
async def writing(store: Store, clock: Clock, lease: Lease) -> AsyncIterator[Tx]:
    """A write transaction that begins by prolonging the lease.

    Raises LeaseLost when another process has it by now: what was read before may be old.
    """
    async with store.write() as tx:
        now_us = clock.now_us()
        await leases.renew(tx, lease, now_us, now_us + LEASE_S * 1_000_000)
        yield tx
