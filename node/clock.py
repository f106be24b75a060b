"""Time, handed in. Nobody else reads a clock, so that a test can hold all of it."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

from node.month import Month


class Clock(Protocol):
    """Where the node's time comes from."""

    def now_us(self) -> int:
        """Microseconds since 1970, UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let this much of the clock's time pass."""
        ...


class SystemClock:
    """The machine's clock. It never runs backwards within a process.

    A step back (NTP, a resumed virtual machine) is held at the latest value seen, so that the
    order of durable events is the order of their times.
    """

    def __init__(self) -> None:
        self._latest_us = 0

    def now_us(self) -> int:
        """Microseconds since 1970, UTC."""
        self._latest_us = max(self._latest_us, time.time_ns() // 1000)
        return self._latest_us

    async def sleep(self, seconds: float) -> None:
        """Sleep on the event loop."""
        await asyncio.sleep(seconds)


class ManualClock:
    """A clock that stands until it is moved: for the demo's month and for tests."""

    def __init__(self, now_s: int) -> None:
        self._now_us = now_s * 1_000_000

    def now_us(self) -> int:
        """Microseconds since 1970, UTC."""
        return self._now_us

    async def sleep(self, seconds: float) -> None:
        """Move the clock on and give other tasks a turn."""
        self.advance(seconds)
        await asyncio.sleep(0)

    def advance(self, seconds: float) -> None:
        """Move the clock on."""
        self._now_us += round(seconds * 1_000_000)

    def set(self, now_s: int) -> None:
        """Put the clock at an instant; never back."""
        self._now_us = max(self._now_us, now_s * 1_000_000)


def now_s(clock: Clock) -> int:
    """Whole seconds since 1970."""
    return clock.now_us() // 1_000_000


def this_month(clock: Clock) -> Month:
    """The UTC month that it is."""
    return Month.at(now_s(clock))
