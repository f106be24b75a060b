"""What a gRPC error from lnd means. It never means that a payment failed.

lnd answers a denied macaroon, a locked wallet and much else with the code UNKNOWN, so the text
decides with the code. A text that is not listed is "unavailable": the outcome is unknown.

    ConfigError       the macaroon lacks a permission or is not this lnd's
    RailUnavailable   all else: no connection, deadline, locked, starting, or words we don't know
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import grpc

from node.errors import ConfigError, NodeError, RailUnavailable

METHODS: Final = (
    "/lnrpc.Lightning/GetInfo",
    "/lnrpc.Lightning/ListChannels",
    "/lnrpc.Lightning/PendingChannels",
    "/lnrpc.Lightning/ChannelBalance",
    "/lnrpc.Lightning/DecodePayReq",
    "/lnrpc.Lightning/ListPayments",
    "/lnrpc.Lightning/AddInvoice",
    "/lnrpc.Lightning/LookupInvoice",
    "/lnrpc.Lightning/SubscribeInvoices",
    "/routerrpc.Router/SendPaymentV2",
    "/routerrpc.Router/TrackPaymentV2",
)
"""Every call that needs a permission. `uri:` permissions keep `DeletePayment` out."""

_DENIED_TEXTS: Final = (
    "permission denied",
    "verification failed",
    "cannot get macaroon",
    "expected 1 macaroon",
    "unable to get macaroon",
    "cannot determine data format of binary-encoded macaroon",
)
_LOCKED: Final = {
    "wallet locked": "lnd is locked; unlock it with: lncli unlock",
    "wallet not created": "lnd has no wallet yet; make one with: lncli create",
    "waiting to start": "lnd waits to become the leader of its cluster",
    "in the process of starting up": "lnd is starting",
    "server is still in the process of starting": "lnd is starting",
}


def bake_command(file: str = "flattr-node.macaroon") -> str:
    """What the operator types to get a macaroon with these permissions and no others."""
    return f"lncli bakemacaroon --save_to {file} " + " ".join(f"uri:{uri}" for uri in METHODS)


def is_denied(error: Any) -> bool:
    """Whether lnd did not accept the macaroon for this call."""
    if error.code() in (grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAUTHENTICATED):
        return True
    return _says(error, *_DENIED_TEXTS)


def is_not_found(error: Any) -> bool:
    """Whether lnd answered that it does not have it."""
    return bool(error.code() is grpc.StatusCode.NOT_FOUND)


def is_duplicate_invoice(error: Any) -> bool:
    """Whether AddInvoice answered that it has an invoice with this hash."""
    return _says(error, "invoice with payment hash already exists")


def is_past_the_macaroon(error: Any) -> bool:
    """Whether the method itself refused, so after the macaroon was accepted."""
    return (
        error.code() is grpc.StatusCode.UNKNOWN
        and not is_denied(error)
        and not _says(error, *_LOCKED)
    )


def explain(error: Any, uri: str) -> NodeError:
    """The error to raise, with words for the operator."""
    if is_denied(error):
        return ConfigError(
            f"lnd denies {uri} to this macaroon. Bake one that fits, and name it in"
            f" lnd.macaroon_path: {bake_command()}"
        )
    for text, words in _LOCKED.items():
        if _says(error, text):
            return RailUnavailable(words)
    name = uri.rpartition("/")[2]
    match error.code():
        case grpc.StatusCode.UNAVAILABLE:
            return RailUnavailable(f"lnd can't be reached ({error.details()})")
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            return RailUnavailable(f"lnd did not answer {name} in time")
        case code:
            return RailUnavailable(f"lnd answered {name} with {code.name}: {error.details()}")


def never(_: Any) -> bool:
    """No error is an answer."""
    return False


IsAnswer = Callable[[Any], bool]
"""Which errors are an answer of lnd: that it has nothing."""


def _says(error: Any, *texts: str) -> bool:
    details = (error.details() or "").lower()
    return any(text in details for text in texts)
