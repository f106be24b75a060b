"""What one stranger's host may use of this node, and for how long a failing host is left alone.

A slot is taken per host first and over all hosts second, so that those who wait for a tarpit hold
none of the common slots. The circuit breaker counts failures in a row: no connection, no answer in
time, a 5xx. A refused answer is no such failure, for one creator's bad name must not silence a host
which many creators use. After the rest one more failure sends the host to rest again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from node.clock import Clock
from node.errors import FetchRefused

HOSTS_REMEMBERED_MAX: Final = 4096


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """What a stranger may use of this node. Times are seconds."""

    total_s: float = 10.0
    connect_s: float = 3.0
    body_bytes: int = 64 * 1024
    wait_s: float = 30.0
    """How long a request waits for its turn, which is not the host's time."""
    at_once: int = 256
    at_once_per_host: int = 4
    failures_max: int = 5
    """Failures in a row after which a host is left alone."""
    rest_s: int = 60
    """How long it is left alone."""


class Hosts:
    """The slots, and the memory of who fails. Keys are `host:port`."""

    def __init__(self, clock: Clock, limits: FetchLimits) -> None:
        self._clock = clock
        self._limits = limits
        self._all = asyncio.Semaphore(limits.at_once)
        self._slots: dict[str, tuple[asyncio.Semaphore, int]] = {}
        self._failures: dict[str, tuple[int, int]] = {}
        """Failures in a row, and the microsecond until which the host is left alone."""

    @asynccontextmanager
    async def slot(self, host: str) -> AsyncIterator[None]:
        """Hold one of the host's slots.

        Raises FetchRefused when the host rests, or begins to while this one waits, or no slot is
        free in time.
        """
        self._demand_awake(host)
        own, users = self._slots.get(host, (asyncio.Semaphore(self._limits.at_once_per_host), 0))
        self._slots[host] = (own, users + 1)
        try:
            async with AsyncExitStack() as stack:
                try:
                    async with asyncio.timeout(self._limits.wait_s):
                        await stack.enter_async_context(own)
                        await stack.enter_async_context(self._all)
                except TimeoutError as error:
                    raise FetchRefused(f"too many requests to {host} at once") from error
                self._demand_awake(host)
                yield
        finally:
            self._leave(host)

    def note(self, host: str, *, failed: bool) -> None:
        """Remember how a request went; the oldest memory gives way."""
        count, _ = self._failures.pop(host, (0, 0))
        if not failed:
            return
        tired = count + 1 >= self._limits.failures_max
        until = self._clock.now_us() + self._limits.rest_s * 1_000_000 if tired else 0
        self._failures[host] = (count + 1, until)
        if len(self._failures) > HOSTS_REMEMBERED_MAX:
            del self._failures[next(iter(self._failures))]

    def _demand_awake(self, host: str) -> None:
        if self._failures.get(host, (0, 0))[1] > self._clock.now_us():
            raise FetchRefused(f"{host} failed too often and is left alone for a while")

    def _leave(self, host: str) -> None:
        own, users = self._slots[host]
        if users == 1:
            del self._slots[host]
        else:
            self._slots[host] = (own, users - 1)
