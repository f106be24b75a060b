# ruff: noqa: N802  the names are lnd's
"""The Router service of a simulated node: SendPaymentV2 and TrackPaymentV2, in lnd 0.21's order.

SendPaymentV2 first reads the request, which finds an expired invoice, and only then looks whether
the payment exists: so an in-flight payment of an expired invoice is answered "invoice expired".
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, Final

import grpc

from node.clock import now_s
from node.errors import BadInput
from node.wallet.lightning.simulated_books import (
    ABSENT,
    CLTV_EXPIRY_DEFAULT,
    FAILED,
    IN_FLIGHT,
    SUCCEEDED,
    Intent,
    LndAnswer,
    Node,
    Payment,
)
from node.wallet.lightning.simulated_invoice import Bolt11, decode_invoice
from node.wallet.lightning.simulated_payments import BLOCK_PADDING, World, bad_input_as_lnd
from node.wallet.lightning.stubs import router_pb2_grpc

CLTV_LIMIT_MAX: Final = 2016
"""lnd's --max-cltv-expiry."""
TIMEOUT_DEFAULT_S: Final = 60


class Router(router_pb2_grpc.RouterServicer):  # type: ignore[misc]  # the stubs have no types
    """routerrpc.Router for one node."""

    def __init__(self, world: World, node: Node) -> None:
        self._world = world
        self._node = node

    async def SendPaymentV2(self, request: Any, context: Any) -> AsyncIterator[Any]:
        """Pay, and stream lnrpc.Payment: IN_FLIGHT, then how it ends."""
        del context
        faults, name = self._world.faults, self._node.name
        intent = intent_of(request, self._node, now_s(self._world.clock))
        if faults.strike(faults.lost_before, name, intent.payment_hash):
            raise _broken()
        expired = self._answers_expired(intent)
        payment = self._initiate(intent, expired=expired)
        if expired:
            raise _expired(now_s(self._world.clock))
        if faults.strike(faults.lost_after, name, intent.payment_hash):
            raise _broken()
        if any(mask.status == ABSENT for mask in payment.masks):
            raise _broken()
        if not request.no_inflight_updates:
            yield payment.message(IN_FLIGHT)
        async for message in self._follow(payment, request.no_inflight_updates, read=False):
            yield message

    async def TrackPaymentV2(self, request: Any, context: Any) -> AsyncIterator[Any]:
        """Stream lnrpc.Payment from what it is now until it ends. NOT_FOUND when there is none."""
        del context
        payment = self._node.payments.get(request.payment_hash)
        if payment is None:
            raise _not_initiated()
        async for message in self._follow(payment, request.no_inflight_updates, read=True):
            yield message

    async def _follow(self, payment: Payment, final: bool, *, read: bool) -> AsyncIterator[Any]:
        while True:
            changed = payment.bell.next
            shown = payment.shown(self._world.clock.now_us(), read=read)
            if shown == ABSENT:
                raise _not_initiated()
            if shown != IN_FLIGHT or not final:
                yield payment.message(shown)
            if shown in {SUCCEEDED, FAILED}:
                return
            read = True
            if not payment.masks:
                await changed.wait()

    def _answers_expired(self, intent: Intent) -> bool:
        before = self._node.payments.get(intent.payment_hash)
        if not intent.payment_request or (before is not None and before.status == SUCCEEDED):
            return False
        faults = self._world.faults
        return faults.strike(faults.expired, self._node.name, intent.payment_hash)

    def _initiate(self, intent: Intent, *, expired: bool) -> Payment:
        before = self._node.payments.get(intent.payment_hash)
        if expired and before is not None and before.status == IN_FLIGHT:
            return before
        return self._world.initiate(self._node, intent)


def intent_of(request: Any, node: Node, at_s: int) -> Intent:
    """Read a routerrpc.SendPaymentRequest. Raises LndAnswer with lnd's text."""
    cltv_limit = request.cltv_limit or CLTV_LIMIT_MAX
    if cltv_limit > CLTV_LIMIT_MAX:
        text = f"total time lock of {cltv_limit} exceeds max allowed {CLTV_LIMIT_MAX}"
        raise LndAnswer(text)
    fee_limit_msat = _one_of(request.fee_limit_sat, request.fee_limit_msat)
    amount_msat = _one_of(request.amt, request.amt_msat)
    limits = (fee_limit_msat, cltv_limit, request.timeout_seconds or TIMEOUT_DEFAULT_S)
    if request.payment_request:
        intent = _of_invoice(request, amount_msat, limits, at_s)
    else:
        intent = _of_fields(request, amount_msat, limits)
    if cltv_limit <= intent.final_cltv + BLOCK_PADDING:
        least = intent.final_cltv + BLOCK_PADDING
        raise LndAnswer(f"cltv limit {cltv_limit} should be greater than {least}")
    if intent.dest == node.pubkey and not request.allow_self_payment:
        raise LndAnswer("self-payments not allowed")
    return intent


def intent_of_invoice(
    invoice: Bolt11, payment_request: str, amount_msat: int, limits: tuple[int, int, int]
) -> Intent:
    """Pay `amount_msat` for this invoice; limits are (fee in msat, CLTV in blocks, seconds)."""
    return Intent(
        payment_hash=invoice.payment_hash,
        dest=invoice.payee,
        amount_msat=amount_msat,
        fee_limit_msat=limits[0],
        cltv_limit=limits[1],
        timeout_s=limits[2],
        final_cltv=invoice.final_cltv,
        payment_secret=invoice.payment_secret,
        payment_request=payment_request,
    )


def _of_invoice(request: Any, amount_msat: int, limits: tuple[int, int, int], at_s: int) -> Intent:
    for name in ("dest", "payment_hash", "final_cltv_delta"):
        if getattr(request, name):
            raise LndAnswer(f"{name} and payment_request cannot appear together")
    try:
        invoice = decode_invoice(request.payment_request)
    except BadInput as error:
        raise bad_input_as_lnd(error) from error
    if at_s > invoice.expires_at_s:
        raise _expired(invoice.expires_at_s)
    if not invoice.amount_msat and not amount_msat:
        raise LndAnswer("amount must be specified when paying a zero amount invoice")
    if invoice.amount_msat and amount_msat:
        raise LndAnswer("amount must not be specified when paying a non-zero amount invoice")
    amount_msat = amount_msat or invoice.amount_msat
    return intent_of_invoice(invoice, request.payment_request, amount_msat, limits)


def _of_fields(request: Any, amount_msat: int, limits: tuple[int, int, int]) -> Intent:
    if len(request.dest) != 33:  # noqa: PLR2004  a compressed public key
        raise LndAnswer(f"invalid vertex length of {len(request.dest)}, want 33")
    if not amount_msat:
        raise LndAnswer("amount must be specified")
    if len(request.payment_hash) != 32:  # noqa: PLR2004  a sha256
        raise LndAnswer(f"invalid hash length of {len(request.payment_hash)}, want 32")
    return Intent(
        payment_hash=request.payment_hash,
        dest=request.dest,
        amount_msat=amount_msat,
        fee_limit_msat=limits[0],
        cltv_limit=limits[1],
        timeout_s=limits[2],
        final_cltv=request.final_cltv_delta or CLTV_EXPIRY_DEFAULT,
        payment_secret=request.payment_addr,
        records={key: bytes(value) for key, value in request.dest_custom_records.items()},
    )


def _one_of(sat: int, amount_msat: int) -> int:
    if sat and amount_msat:
        raise LndAnswer("sat and msat arguments are mutually exclusive")
    if sat < 0 or amount_msat < 0:
        raise LndAnswer("amount cannot be negative")
    return amount_msat or sat * 1000


def _not_initiated() -> LndAnswer:
    return LndAnswer("payment isn't initiated", grpc.StatusCode.NOT_FOUND)


def _broken() -> LndAnswer:
    return LndAnswer("Socket closed", grpc.StatusCode.UNAVAILABLE)


def _expired(valid_until_s: int) -> LndAnswer:
    until = datetime.fromtimestamp(valid_until_s, UTC).strftime("%Y-%m-%d %H:%M:%S +0000 UTC")
    return LndAnswer(f"invoice expired. Valid until {until}")
