"""A storm of clicks: thousands of requests in flight; it keeps what was acknowledged.

    line   one connection; its requests are sent one behind the other, and answered in order
    lane   one request in flight, of a line: it goes on when that is acknowledged

Each lane goes through pairs (member, thing) that nobody else has, each pair once: it flattrs, each
with a key of its own; now and then it undoes that, and now and then it repeats an old request under
its old key, which must be answered as it was, byte for byte, and change nothing. A pair is never
flattred again after an undo, so that no later click can hide one that was lost.

When the connection breaks, all that was not answered is sent again to whichever process serves.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Final, cast

from node.devnet.bench_load import post
from node.month import Month
from tests.storage.waiting import until

UNDONE: Final = 0.2
REPEATED: Final = 0.1
RETRY_S: Final = 0.05
CONNECT_LIMIT_S: Final = 60
WAVE: Final = 200
"""Connections that are opened at once: the kernel's queue of new ones is not endless."""

Pair = tuple[int, int]


@dataclass(slots=True)
class Request:
    """One click. `told`: the body that acknowledged it."""

    pair: Pair
    flattrs: bool
    key: str
    raw: bytes
    told: bytes = b""


@dataclass
class Storm:
    """What was asked and what was answered. `tokens` and `things`: by their place in a Pair."""

    tokens: list[str]
    things: list[int]
    lines: int
    in_flight: int
    random: Random
    stands: dict[Pair, bool] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    over: bool = False
    busy_lanes: int = 0
    months: set[str] = field(default_factory=set)
    addresses: list[str] = field(default_factory=list)
    """Where the lines come from, if not all from 127.0.0.1."""

    def __post_init__(self) -> None:
        self._pairs = self._fresh_pairs()
        each = self.in_flight // self.lines
        self._lines = [_Line(self, [_Lane(self) for _ in range(each)]) for _ in range(self.lines)]
        self.busy_lanes = each * self.lines

    def _fresh_pairs(self) -> Iterator[Pair]:
        for thing in range(len(self.things)):
            for member in range(len(self.tokens)):
                yield member, thing

    def next_pair(self) -> Pair | None:
        """A pair that nobody has had; None when all are used up, or the storm is over."""
        return None if self.over else next(self._pairs, None)

    @property
    def acknowledged(self) -> int:
        """How many clicks were."""
        return self.seen["acknowledged"]

    @property
    def months_seen(self) -> list[Month]:
        """The months that clicks were acknowledged in: one, unless it was midnight."""
        return [Month.parse(month) for month in sorted(self.months)]

    async def connect(self, port: int) -> None:
        """Connect every line to a life of the node; what was not answered is sent again."""
        for first in range(0, len(self._lines), WAVE):
            wave = self._lines[first : first + WAVE]
            connecting = asyncio.gather(
                *(line.connect(port, self._address(first + n)) for n, line in enumerate(wave))
            )
            try:
                await asyncio.wait_for(connecting, CONNECT_LIMIT_S)
            except TimeoutError:
                words = f"not within {CONNECT_LIMIT_S} s: {len(wave)} connections, from the"
                raise AssertionError(f"{words} {first}th on; {self.told()}") from None

    def _address(self, line: int) -> tuple[str, int] | None:
        return (self.addresses[line % len(self.addresses)], 0) if self.addresses else None

    def hang_up(self) -> None:
        """Close every line."""
        for line in self._lines:
            line.hang_up()

    async def until_acknowledged(self, number: int, limit_s: float) -> None:
        """Wait for so many in all, or until every lane has ended."""
        await until(
            lambda: self.acknowledged >= number or not self.busy_lanes,
            limit_s,
            lambda: f"{number} clicks acknowledged; {self.told()}",
            poll_s=0.002,
        )

    async def until_over(self, limit_s: float) -> None:
        """Begin nothing more, and wait until everything is acknowledged."""
        self.over = True
        await until(
            lambda: not self.busy_lanes,
            limit_s,
            lambda: f"every click that was asked is acknowledged; {self.told()}",
        )

    def told(self) -> str:
        """How far it has come, in words."""
        lines = sum(line.connected for line in self._lines)
        return f"{lines} lines, {self.busy_lanes} lanes, {dict(self.seen)}, {self.wrong}"

    def click(self, pair: Pair, key: str, *, flattrs: bool) -> Request:
        """A request, as bytes."""
        token, thing = self.tokens[pair[0]], self.things[pair[1]]
        if flattrs:
            raw = post("/api/v1/flattrs", token, b'{"thing":%d}' % thing)
            raw = raw.replace(b"\r\n\r\n", b"\r\nIdempotency-Key: %b\r\n\r\n" % key.encode(), 1)
        else:
            raw = (
                f"DELETE /api/v1/flattrs?thing={thing} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                f"Authorization: Bearer {token}\r\nIdempotency-Key: {key}\r\n\r\n"
            ).encode()
        return Request(pair, flattrs, key, raw)

    def complain(self, words: str) -> None:
        """Something was answered that never may be."""
        if len(self.wrong) < 20:
            self.wrong.append(words)


class _Lane:
    """One request after the other."""

    def __init__(self, storm: Storm) -> None:
        self._storm = storm
        self._old: list[Request] = []
        self.request: Request | None = None
        self._repeats = False

    def next(self) -> Request | None:
        """What is asked next; None when there is nothing more to do."""
        storm, random = self._storm, self._storm.random
        if self.request is None:
            self.request = self._choose(storm, random)
            if self.request is None:
                storm.busy_lanes -= 1
        return self.request

    def _choose(self, storm: Storm, random: Random) -> Request | None:
        last = self._old[-1] if self._old else None
        self._repeats = last is not None and not storm.over and random.random() < REPEATED
        if self._repeats:
            return random.choice(self._old)
        if last is not None and last.flattrs and random.random() < UNDONE and not storm.over:
            return storm.click(last.pair, f"{last.key}-undo", flattrs=False)
        pair = storm.next_pair()
        return None if pair is None else storm.click(pair, f"k{pair[0]}-{pair[1]}", flattrs=True)

    def answered(self, status: int, body: bytes) -> float:
        """Judge an answer; how long to wait before the lane goes on."""
        storm, request = self._storm, self.request
        assert request is not None, "it was asked"
        if status == 503:
            storm.seen["busy"] += 1
            return RETRY_S
        if status != 200:
            storm.complain(f"{request.key} was answered {status}: {body[:200]!r}")
        elif self._repeats:
            storm.seen["repeated"] += 1
            if body != request.told:
                storm.complain(f"{request.key}: {body!r} is not {request.told!r}, as before")
        else:
            self._acknowledged(request, body)
        self.request = None
        return 0

    def _acknowledged(self, request: Request, body: bytes) -> None:
        storm, told = self._storm, json.loads(body)
        if (told["thing"], told["flattred"]) != (storm.things[request.pair[1]], request.flattrs):
            storm.complain(f"{request.key} was answered {body!r}")
        request.told = body
        storm.months.add(told["month"])
        storm.stands[request.pair] = request.flattrs
        storm.seen["acknowledged"] += 1
        self._old.append(request)


class _Line(asyncio.Protocol):
    """One connection, and the lanes that share it."""

    def __init__(self, storm: Storm, lanes: list[_Lane]) -> None:
        self._storm = storm
        self._lanes = lanes
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[_Lane] = deque()
        self._had = b""

    async def connect(self, port: int, local: tuple[str, int] | None) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: self, "127.0.0.1", port, local_addr=local)
        except OSError:
            self._storm.seen["not connected"] += 1

    @property
    def connected(self) -> bool:
        return self._transport is not None

    def hang_up(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport, self._had = cast("asyncio.Transport", transport), b""
        self._waiting.clear()
        self._ask(self._lanes)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._storm.seen["unanswered"] += len(self._waiting)
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._had += data
        free = []
        while (found := _answer(self._had)) is not None:
            status, body, length = found
            self._had = self._had[length:]
            lane = self._waiting.popleft()
            if pause_s := lane.answered(status, body):
                loop = asyncio.get_running_loop()
                loop.call_later(pause_s, self._ask_again, lane, self._transport)
            else:
                free.append(lane)
        self._ask(free)

    def _ask_again(self, lane: _Lane, transport: asyncio.Transport | None) -> None:
        """After a pause; a new connection has sent it already."""
        if transport is self._transport:
            self._ask([lane])

    def _ask(self, lanes: list[_Lane]) -> None:
        if self._transport is None:
            return
        asking = [(lane, request) for lane in lanes if (request := lane.next()) is not None]
        if asking:
            self._waiting.extend(lane for lane, _ in asking)
            self._transport.write(b"".join([request.raw for _, request in asking]))


def _answer(had: bytes) -> tuple[int, bytes, int] | None:
    """(status, body, bytes) of the first answer, if all of it is there."""
    ends = had.find(b"\r\n\r\n")
    if ends < 0:
        return None
    head = had[:ends].lower()
    place = head.find(b"content-length: ") + 16
    length = ends + 4 + int(head[place:].split(b"\r\n", 1)[0])
    return None if len(had) < length else (int(head[9:12]), had[ends + 4 : length], length)
