"""The way to lnd, without a socket: a gRPC channel whose calls run the simulated lnd's methods.

Above it everything is real, from `LndChannel` on; behind it are the servicers of `simulated_*.py`.
A call runs in a task of the network, not of the caller: who hangs up or is killed stops nothing.
What may happen to a call on its way is `weather.py`'s to say.

    before    the request is lost: UNAVAILABLE
    after     it is carried out, and the answer is lost: UNAVAILABLE or DEADLINE_EXCEEDED
    late      UNAVAILABLE at once, and it is carried out some seconds later
    odd       UNKNOWN, INTERNAL, RESOURCE_EXHAUSTED: a server's words that nobody knows
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextvars import Context
from enum import Enum, auto
from typing import Any, Final, Protocol

import grpc
import grpc.aio

from node.wallet.lightning.simulated_books import LndAnswer, Node
from node.wallet.lightning.simulated_lightning import Lightning, State
from node.wallet.lightning.simulated_payments import World
from node.wallet.lightning.simulated_router import Router
from tests.crash.process import Process

OUTSIDE: Final = Context()
"""Tasks of the network belong to no process."""
_EMPTY: Final = grpc.aio.Metadata()
_WORDS: Final = {
    "locked": "wallet locked, unlock it to enable full RPC access",
    "starting": "the RPC server is in the process of starting up",
}


class Road(Enum):
    """What happens to one call."""

    CLEAR = auto()
    BEFORE = auto()
    AFTER = auto()
    SILENT = auto()
    """As AFTER, but nothing comes until the deadline."""
    LATE = auto()
    ODD = auto()


class Roads(Protocol):
    """Decides what happens to calls."""

    def at_call(self, process: Process, uri: str) -> Road:
        """This call is about to be made."""
        ...

    def latency_s(self) -> float:
        """How long the next call needs each way, in seconds."""
        ...

    def late_s(self) -> float:
        """How late a request comes that is late, in seconds."""
        ...

    def odd(self) -> grpc.StatusCode:
        """What an odd answer says."""
        ...


class Lnd:
    """Who answers at the node's address: one of the network's nodes, in some state."""

    def __init__(self, world: World, node: Node) -> None:
        self.world = world
        self.node = node
        self.streams: dict[asyncio.Task[Any], asyncio.Queue[Any]] = {}
        door: Any = None  # only CheckMacaroonPermissions needs one
        self._services = {
            "lnrpc.Lightning": Lightning(world, node, door),
            "routerrpc.Router": Router(world, node),
            "lnrpc.State": State(world, node),
        }

    def method(self, uri: str) -> Any:
        """The method of this URI. Raises LndAnswer while lnd is not to be spoken to."""
        faults, name = self.world.faults, self.node.name
        if name in faults.unreachable:
            raise LndAnswer("failed to connect to all addresses", grpc.StatusCode.UNAVAILABLE)
        service, method = uri[1:].split("/")
        if service != "lnrpc.State":
            if name in faults.locked:
                raise LndAnswer(_WORDS["locked"])
            if name in faults.starting:
                raise LndAnswer(_WORDS["starting"])
        return getattr(self._services[service], method)

    def hang_up(self) -> None:
        """Break every connection."""
        for task, inbox in self.streams.items():
            task.cancel()
            inbox.put_nowait(LndAnswer("Socket closed", grpc.StatusCode.UNAVAILABLE))
        self.streams.clear()


class Place:
    """The address that the node connects to; who lives there can change."""

    def __init__(self, lnd: Lnd, roads: Roads) -> None:
        self.lnd = lnd
        self.roads = roads


class DirectChannel:
    """As much of `grpc.aio.Channel` as the stubs and `LndChannel` use."""

    def __init__(self, place: Place, process: Process) -> None:
        self.place = place
        self.process = process

    def unary_unary(self, uri: str, *_: Any, **__: Any) -> Any:
        """A method that answers once."""
        return lambda request, timeout=None, **_: _answer_once(self, uri, request, timeout)

    def unary_stream(self, uri: str, *_: Any, **__: Any) -> Any:
        """A method that answers with a stream."""
        return lambda request, timeout=None, metadata=None: DirectStream(
            self, uri, request, timeout, metadata
        )

    def stream_stream(self, uri: str, *_: Any, **__: Any) -> str:
        """The node calls no such method; the stubs name some."""
        return uri

    def get_state(self) -> Any:
        """READY while lnd can be reached."""
        lnd = self.place.lnd
        away = lnd.node.name in lnd.world.faults.unreachable
        states = grpc.ChannelConnectivity
        return states.TRANSIENT_FAILURE if away else states.READY


class DirectStream:
    """A stream of answers, as its caller sees it."""

    def __init__(
        self, channel: DirectChannel, uri: str, request: Any, timeout: float | None, metadata: Any
    ) -> None:
        del metadata
        self._messages = _answer_many(channel, uri, request)
        self._process = channel.process
        loop = asyncio.get_running_loop()
        self._until_s = None if timeout is None else loop.time() + timeout

    def __aiter__(self) -> DirectStream:
        return self

    async def __anext__(self) -> Any:
        message = await self.read()
        if message is grpc.aio.EOF:
            raise StopAsyncIteration
        return message

    async def read(self) -> Any:
        """The next message, or EOF. Raises AioRpcError."""
        self._process.demand_alive()
        try:
            async with asyncio.timeout_at(self._until_s):
                message = await anext(self._messages, grpc.aio.EOF)
        except TimeoutError:
            raise _error(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded") from None
        self._process.demand_alive()
        return message

    def cancel(self) -> bool:
        """Hang up; the network goes on."""
        return True


grpc.aio.UnaryStreamCall.register(DirectStream)


async def _answer_once(
    channel: DirectChannel, uri: str, request: Any, deadline_s: float | None
) -> Any:
    channel.process.demand_alive()
    try:
        async with asyncio.timeout(deadline_s):
            answer = await _by_road(channel, uri, lambda: _single(channel, uri, request))
    except TimeoutError:
        raise _error(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded") from None
    channel.process.demand_alive()
    return answer


async def _answer_many(channel: DirectChannel, uri: str, request: Any) -> AsyncGenerator[Any]:
    inbox: asyncio.Queue[Any] = asyncio.Queue()
    await _by_road(channel, uri, lambda: _stream(channel, uri, request, inbox))
    while True:
        message = await inbox.get()
        if isinstance(message, LndAnswer):
            raise _error(message.code, message.text)
        if message is None:
            return
        yield message


async def _by_road(channel: DirectChannel, uri: str, call: Any) -> Any:
    """Make the call, unless something happens to it on its way."""
    roads = channel.place.roads
    road = roads.at_call(channel.process, uri)
    await asyncio.sleep(roads.latency_s())
    channel.process.demand_alive()
    match road:
        case Road.BEFORE:
            raise _error(grpc.StatusCode.UNAVAILABLE, "Connection reset by peer")
        case Road.ODD:
            raise _error(roads.odd(), "something that nobody has seen before")
        case Road.LATE:
            _outside(_later(roads.late_s(), call))
            raise _error(grpc.StatusCode.UNAVAILABLE, "Connection reset by peer")
        case Road.AFTER | Road.SILENT | Road.CLEAR:
            task = _outside(call())
    await asyncio.wait([task])
    if road is Road.SILENT:
        task.exception()
        await asyncio.get_running_loop().create_future()
    if road is Road.AFTER:
        task.exception()
        raise _error(grpc.StatusCode.UNAVAILABLE, "Socket closed")
    try:
        answer = task.result()
    except LndAnswer as refusal:
        raise _error(refusal.code, refusal.text) from None
    await asyncio.sleep(roads.latency_s())
    return answer


async def _later(late_s: float, call: Any) -> None:
    await asyncio.sleep(late_s)
    try:
        await call()
    except LndAnswer:
        return


async def _single(channel: DirectChannel, uri: str, request: Any) -> Any:
    return await channel.place.lnd.method(uri)(request, None)


async def _stream(
    channel: DirectChannel, uri: str, request: Any, inbox: asyncio.Queue[Any]
) -> None:
    """Open a stream; what it says comes into the inbox, None at its end."""
    lnd = channel.place.lnd
    task = _outside(_pump(lnd.method(uri)(request, None), inbox))
    lnd.streams[task] = inbox
    task.add_done_callback(lambda done: lnd.streams.pop(done, None))


async def _pump(messages: Any, inbox: asyncio.Queue[Any]) -> None:
    try:
        async for message in messages:
            inbox.put_nowait(message)
        inbox.put_nowait(None)
    except LndAnswer as refusal:
        inbox.put_nowait(refusal)


def _outside(work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    return OUTSIDE.run(asyncio.get_running_loop().create_task, work)


def _error(code: grpc.StatusCode, words: str) -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(code, _EMPTY, _EMPTY, words)
