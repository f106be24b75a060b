"""One gRPC channel to one lnd: deadlines, the macaroon, and errors in the node's words.

Every call has a deadline; a stream of invoices has none and is watched by keepalive pings. When lnd
denies the macaroon and its file has changed meanwhile, the call is made once more with the new one.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import grpc
import grpc.aio

from node.errors import RailUnavailable
from node.wallet.lightning.connection import LndConnection
from node.wallet.lightning.rpc_errors import IsAnswer, explain, is_denied, never
from node.wallet.lightning.stubs import (
    lightning_pb2_grpc,
    router_pb2_grpc,
    stateservice_pb2_grpc,
)

CALL_S: Final = 15
"""Deadline of a call that reads or adds one thing."""
MESSAGE_BYTES_MAX: Final = 64 * 1024 * 1024

_LEFT: Final = frozenset({grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED})
"""How a stream ends that was left at its deadline: lnd is sometimes quicker to say so."""

_OPTIONS: Final = (
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
    ("grpc.initial_reconnect_backoff_ms", 500),
    ("grpc.max_reconnect_backoff_ms", 10_000),
)


@asynccontextmanager
async def open_channel(connection: LndConnection) -> AsyncIterator[LndChannel]:
    """Open the channel, and close it at the end. Connects with the first call.

    Raises ConfigError when the macaroon can't be read.
    """
    connection.read_macaroon()
    credentials = grpc.ssl_channel_credentials(connection.cert_pem or None)
    async with grpc.aio.secure_channel(
        connection.address, credentials, options=_OPTIONS
    ) as channel:
        yield LndChannel(channel, connection)


class LndChannel:
    """Calls by their URI, such as `/lnrpc.Lightning/GetInfo`. Made by `open_channel`."""

    def __init__(self, channel: Any, connection: LndConnection) -> None:
        self._channel = channel
        self._connection = connection
        self._macaroon = connection.read_macaroon()
        self._breaks = 0
        self._stubs = {
            "lnrpc.Lightning": lightning_pb2_grpc.LightningStub(channel),
            "routerrpc.Router": router_pb2_grpc.RouterStub(channel),
            "lnrpc.State": stateservice_pb2_grpc.StateStub(channel),
        }

    @property
    def unbroken(self) -> int | None:
        """A number that stays the same while the connection does; None while there is none."""
        ready = self._channel.get_state() is grpc.ChannelConnectivity.READY
        return self._breaks if ready else None

    async def ask(
        self, uri: str, request: Any, *, timeout_s: float = CALL_S, unless: IsAnswer = never
    ) -> Any:
        """The first message of the answer; None when `unless` says that an error is the answer.

        Raises RailUnavailable, ConfigError.
        """
        try:
            try:
                return await self._call(uri, request, timeout_s)
            except grpc.aio.AioRpcError as error:
                if not (is_denied(error) and self._macaroon_changed()):
                    raise
            return await self._call(uri, request, timeout_s)
        except grpc.aio.AioRpcError as error:
            if unless(error):
                return None
            self._breaks += error.code() is grpc.StatusCode.UNAVAILABLE
            raise explain(error, uri) from error

    async def stream(self, uri: str, request: Any) -> AsyncGenerator[Any]:
        """Every message, until it breaks, which raises RailUnavailable or ConfigError."""
        call = self._method(uri)(request, metadata=self._metadata())
        try:
            async for message in call:
                yield message
        except grpc.aio.AioRpcError as error:
            self._breaks += 1
            if is_denied(error) and self._macaroon_changed():
                raise RailUnavailable("the macaroon was replaced; ask again") from error
            raise explain(error, uri) from error
        finally:
            call.cancel()
        raise RailUnavailable(f"lnd closed the stream of {uri}")

    async def listen(self, uri: str, request: Any, seconds: float) -> None:
        """Open a stream and leave it after so long: raises ConfigError if it is denied."""
        call = self._method(uri)(request, timeout=seconds, metadata=self._metadata())
        try:
            await call.read()
        except grpc.aio.AioRpcError as error:
            if error.code() not in _LEFT:
                raise explain(error, uri) from error
        finally:
            call.cancel()

    async def _call(self, uri: str, request: Any, timeout_s: float) -> Any:
        """One message. A stream is left after its first: lnd pays on (`cancelable` is not set)."""
        call = self._method(uri)(request, timeout=timeout_s, metadata=self._metadata())
        if not isinstance(call, grpc.aio.UnaryStreamCall):
            return await call
        try:
            message = await call.read()
        finally:
            call.cancel()
        if message is grpc.aio.EOF:
            raise RailUnavailable(f"lnd ended {uri} without a word")
        return message

    def _method(self, uri: str) -> Any:
        service, name = uri[1:].split("/")
        return getattr(self._stubs[service], name)

    def _metadata(self) -> tuple[tuple[str, str], ...]:
        return (("macaroon", self._macaroon),)

    def _macaroon_changed(self) -> bool:
        before, self._macaroon = self._macaroon, self._connection.read_macaroon()
        return before != self._macaroon
