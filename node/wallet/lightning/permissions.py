"""Which of the node's calls a macaroon does not allow, found out without any effect.

lnd checks the macaroon before it looks at a request. So each call is made with a request that its
method refuses or answers with nothing: any answer but a denial means that the call is allowed. (The
call for this purpose, CheckMacaroonPermissions, is itself denied to a well-baked macaroon.)
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import grpc

from node.errors import ConfigError
from node.wallet.lightning.channel import LndChannel
from node.wallet.lightning.rpc_errors import METHODS, is_denied, is_past_the_macaroon
from node.wallet.lightning.stubs import lightning_pb2, router_pb2

_NO_HASH: Final = bytes(32)
_NO_ANSWER: Final = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.UNIMPLEMENTED,
    }
)
_LISTEN_S: Final = 0.5
"""A stream of invoices that is allowed says nothing at first: silence is the good answer."""

_HARMLESS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "/lnrpc.Lightning/GetInfo": lightning_pb2.GetInfoRequest(),
        "/lnrpc.Lightning/ListChannels": lightning_pb2.ListChannelsRequest(),
        "/lnrpc.Lightning/PendingChannels": lightning_pb2.PendingChannelsRequest(),
        "/lnrpc.Lightning/ChannelBalance": lightning_pb2.ChannelBalanceRequest(),
        "/lnrpc.Lightning/DecodePayReq": lightning_pb2.PayReqString(pay_req="none"),
        "/lnrpc.Lightning/ListPayments": lightning_pb2.ListPaymentsRequest(max_payments=1),
        "/lnrpc.Lightning/AddInvoice": lightning_pb2.Invoice(r_preimage=b"\x00"),
        "/lnrpc.Lightning/LookupInvoice": lightning_pb2.PaymentHash(r_hash=_NO_HASH),
        "/lnrpc.Lightning/SubscribeInvoices": lightning_pb2.InvoiceSubscription(),
        "/routerrpc.Router/SendPaymentV2": router_pb2.SendPaymentRequest(),
        "/routerrpc.Router/TrackPaymentV2": router_pb2.TrackPaymentRequest(payment_hash=_NO_HASH),
    }
)
assert tuple(_HARMLESS) == METHODS, "each method that the node needs is tried"


async def denied_methods(channel: LndChannel) -> tuple[str, ...]:
    """The methods that this macaroon may not call, as URIs. Raises RailUnavailable."""
    denied = []
    for uri, request in _HARMLESS.items():
        try:
            if uri.endswith("/SubscribeInvoices"):
                await channel.listen(uri, request, _LISTEN_S)
            else:
                await channel.ask(uri, request, unless=_is_an_answer)
        except ConfigError:
            denied.append(uri)
    return tuple(denied)


def _is_an_answer(error: Any) -> bool:
    if is_past_the_macaroon(error):
        return True
    return not is_denied(error) and error.code() not in _NO_ANSWER
