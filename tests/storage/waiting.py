"""Waiting for what a node does: with a limit, and with words when it does not come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic

POLL_S = 0.01


async def until(
    done: Callable[[], bool], limit_s: float, wanted: Callable[[], str], poll_s: float = POLL_S
) -> None:
    """Wait until it is done. Fails with what was wanted, and how far it came."""
    ends = monotonic() + limit_s
    while not done():
        assert monotonic() < ends, f"not within {limit_s:g} s: {wanted()}"
        await asyncio.sleep(poll_s)
