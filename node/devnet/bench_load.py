"""Load for the bench of clicks: so many connections, on each one request after another.

It runs in a process of its own, on uvloop, and does as little as it can: requests are bytes made
before it begins, and of an answer it reads the status and where it ends. So the server is what is
measured, not the load.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from time import perf_counter
from typing import Final, cast

from node.devnet.bench_child import median
from node.errors import DaemonError

_GOOD: Final = (b"200", b"201")
_LENGTH: Final = b"content-length: "
_TAIL_PERCENT: Final = 99


@dataclass(frozen=True, slots=True)
class LoadFigures:
    """What the connections saw. `refused`: answers that were neither 200 nor 201."""

    answered: int
    refused: int
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def per_s(self) -> float:
        """Good answers a second."""
        return self.answered / self.seconds


class _Caller(asyncio.Protocol):
    """One connection: it sends the next request when the last one is answered."""

    def __init__(self, requests: Sequence[bytes]) -> None:
        self._requests = cycle(requests)
        self._transport: asyncio.Transport | None = None
        self._had = b""
        self._sent_at = 0.0
        self.going = False
        self.lost = False
        self.waits_s: list[float] = []
        self.refused = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        answer = self._had + data if self._had else data
        head_ends = answer.find(b"\r\n\r\n")
        if head_ends < 0 or len(answer) < head_ends + 4 + _body_length(answer[:head_ends]):
            self._had = answer
            return
        self._had = b""
        if answer[9:12] in _GOOD:
            self.waits_s.append(perf_counter() - self._sent_at)
        else:
            self.refused += 1
        if self.going:
            self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = self.going or exc is not None

    def send(self) -> None:
        """Send the next request."""
        assert self._transport is not None, "it is connected"
        self._sent_at = perf_counter()
        self._transport.write(next(self._requests))

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()


async def press(port: int, requests: Sequence[Sequence[bytes]], seconds: float) -> LoadFigures:
    """Ask on 127.0.0.1 by one connection for each list of `requests`, for so many seconds.

    Raises DaemonError when the server hangs up.
    """
    loop = asyncio.get_running_loop()
    callers = [_Caller(some) for some in requests]
    for caller in callers:
        await loop.create_connection(partial(_itself, caller), "127.0.0.1", port)
    began = perf_counter()
    for caller in callers:
        caller.going = True
        caller.send()
    await asyncio.sleep(seconds)
    for caller in callers:
        caller.going = False
    lasted = perf_counter() - began
    waits_s = sorted(wait for caller in callers for wait in caller.waits_s)
    lost = sum(caller.lost for caller in callers)
    for caller in callers:
        caller.close()
    if lost or not waits_s:
        refused = sum(caller.refused for caller in callers)
        words = f"{len(waits_s)} good answers, {refused} refusals, {lost} connections lost"
        raise DaemonError(f"the load broke off: {words}")
    return LoadFigures(
        len(waits_s), sum(caller.refused for caller in callers), lasted, 1000 * median(waits_s),
        1000 * waits_s[len(waits_s) * _TAIL_PERCENT // 100],
    )  # fmt: skip


def post(path: str, token: str, body: bytes) -> bytes:
    """A POST of JSON as bytes, ready to be sent."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _itself(caller: _Caller) -> _Caller:
    return caller


def _body_length(head: bytes) -> int:
    lowered = head.lower()
    place = lowered.find(_LENGTH)
    return int(lowered[place + len(_LENGTH) :].split(b"\r\n", 1)[0]) if place >= 0 else 0
