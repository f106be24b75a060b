"""What the node asks of one lnd.

    rail.py, invoices.py ─▶ lnd.py ─▶ channel.py ─▶ lnd
                             │             │
      answers.py: values ◀───┘             └──▶ rpc_errors.py: ConfigError, RailUnavailable

An exception says nothing about a payment: `track` alone reads what became of it, and the two calls
that pay never raise. lnd may be locked, starting or away at any time: that is RailUnavailable.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any, Final

from node.errors import ConfigError, NodeError
from node.wallet.lightning.answers import (
    Balances,
    Decoded,
    InvoiceState,
    InvoiceView,
    LndNode,
    Outbound,
    PaymentView,
    SendAnswer,
    SettledInvoice,
    WalletState,
    read_balances,
    read_decoded,
    read_invoice,
    read_node,
    read_outbound,
    read_payment,
)
from node.wallet.lightning.channel import LndChannel, open_channel
from node.wallet.lightning.connection import LndConnection
from node.wallet.lightning.known_node import KnownNode
from node.wallet.lightning.permissions import denied_methods
from node.wallet.lightning.rpc_errors import (
    is_duplicate_invoice,
    is_not_found,
    is_past_the_macaroon,
)
from node.wallet.lightning.stubs import lightning_pb2, router_pb2, stateservice_pb2
from node.wallet.lightning.traces import Traces, read_traces

LIST_S: Final = 60
"""Deadline of one page of a list."""
SEND_WAIT_S: Final = 10
"""How long a send waits for the payment's end; it goes on without anybody waiting."""
PAYMENT_TIMEOUT_S: Final = 60
"""How long lnd looks for a route. An HTLC that is out can take longer."""
CLTV_LIMIT: Final = 576
PARTS_MAX: Final = 4
PAYMENTS_PER_PAGE: Final = 500
KEYSEND_PREIMAGE: Final = 5482373484
"""The TLV record that carries the preimage of a keysend (bLIP-3)."""


@asynccontextmanager
async def open_lnd(
    connection: LndConnection, *, send_wait_s: float = SEND_WAIT_S
) -> AsyncIterator[Lnd]:
    """Open the channel, and close it at the end. Connects with the first call.

    `send_wait_s`: how long a send waits for the payment's end. Raises ConfigError when the macaroon
    can't be read.
    """
    async with open_channel(connection) as channel:
        yield Lnd(channel, send_wait_s)


class Lnd:
    """What the node asks of lnd. Made by `open_lnd`.

    All coroutines raise RailUnavailable and, when the macaroon lacks a permission, ConfigError.
    Payment hashes are 64 hex digits.
    """

    def __init__(self, channel: LndChannel, send_wait_s: float) -> None:
        self._channel = channel
        self._send_wait_s = send_wait_s
        self._known = KnownNode(channel, self.read_node)

    async def wallet_state(self) -> WalletState:
        """Whether it is locked, starting or serving. Needs no macaroon."""
        request = stateservice_pb2.GetStateRequest()
        answer = await self._channel.ask("/lnrpc.State/GetState", request)
        return WalletState(answer.state)

    async def read_node(self) -> LndNode:
        """Who this lnd is and how far it has synced."""
        request = lightning_pb2.GetInfoRequest()
        return read_node(await self._channel.ask("/lnrpc.Lightning/GetInfo", request))

    async def known_node(self) -> LndNode:
        """`read_node` of lately: for what is asked with every payment."""
        return await self._known.get()

    async def outbound(self) -> Outbound:
        """What the channels can send now."""
        request = lightning_pb2.ListChannelsRequest()
        answer = await self._channel.ask("/lnrpc.Lightning/ListChannels", request)
        return read_outbound(answer.channels)

    async def channel_balance_msat(self) -> int:
        """The own side of all open channels, in msat: what the books call the wallet."""
        return (await self.balances()).local_msat

    async def balances(self) -> Balances:
        """The sums over all channels: open, opening and closing."""
        request = lightning_pb2.ChannelBalanceRequest()
        answer = await self._channel.ask("/lnrpc.Lightning/ChannelBalance", request)
        pending = lightning_pb2.PendingChannelsRequest()
        closing = await self._channel.ask("/lnrpc.Lightning/PendingChannels", pending)
        return read_balances(answer, closing)

    async def missing_permissions(self) -> tuple[str, ...]:
        """The calls that the node needs and this macaroon does not allow, as URIs."""
        return await denied_methods(self._channel)

    async def holds_dangerous_permissions(self) -> bool:
        """Whether this macaroon could make lnd forget a payment, and so pay a hash twice.

        Asks to delete a payment under a hash of one byte. lnd checks the permission first, and then
        refuses the hash before it looks anything up: only the refusal's kind tells. (The call for
        this purpose, CheckMacaroonPermissions, is itself denied to a well-baked macaroon.)
        """
        request = lightning_pb2.DeletePaymentRequest(payment_hash=b"\x00")
        uri = "/lnrpc.Lightning/DeletePayment"
        try:
            await self._channel.ask(uri, request, unless=is_past_the_macaroon)
        except ConfigError:
            return False
        return True

    # Payments out.

    async def pay_invoice(self, payment_request: str, *, fee_limit_msat: int) -> SendAnswer:
        """Start paying this invoice, if lnd does not know its hash. Never raises RailError."""
        return await self._send(
            router_pb2.SendPaymentRequest(
                payment_request=payment_request, **_limits(fee_limit_msat)
            )
        )

    async def pay_keysend(
        self,
        pubkey: str,
        *,
        amount_msat: int,
        preimage: bytes,
        payment_hash: str,
        fee_limit_msat: int,
        records: Mapping[int, bytes],
    ) -> SendAnswer:
        """Start paying this node key without an invoice (bLIP-3). Never raises RailError."""
        return await self._send(
            router_pb2.SendPaymentRequest(
                dest=bytes.fromhex(pubkey),
                amt_msat=amount_msat,
                payment_hash=bytes.fromhex(payment_hash),
                dest_custom_records={**records, KEYSEND_PREIMAGE: preimage},
                **_limits(fee_limit_msat),
            )
        )

    async def track(self, payment_hash: str) -> PaymentView | None:
        """The payment as it stands, by one read; None: lnd does not show it (no verdict)."""
        request = router_pb2.TrackPaymentRequest(
            payment_hash=bytes.fromhex(payment_hash), no_inflight_updates=False
        )
        answer = await self._channel.ask(
            "/routerrpc.Router/TrackPaymentV2", request, unless=is_not_found
        )
        return None if answer is None else read_payment(answer)

    async def list_payments(self, *, since_s: int = 0) -> AsyncGenerator[PaymentView]:
        """All payments that lnd created since `since_s`, oldest first, whatever their status."""
        offset = 0
        while True:
            request = lightning_pb2.ListPaymentsRequest(
                include_incomplete=True,
                index_offset=offset,
                max_payments=PAYMENTS_PER_PAGE,
                creation_date_start=since_s,
            )
            page = await self._channel.ask(
                "/lnrpc.Lightning/ListPayments", request, timeout_s=LIST_S
            )
            for payment in page.payments:
                yield read_payment(payment)
            if not page.payments:
                return
            offset = page.last_index_offset

    async def hash_on_a_channel(self, payment_hash: str) -> bool:
        """Whether an HTLC with this hash is, or may be, on one of the channels.

        lnd does not show the hashes on a channel that is closing, so such a channel counts as yes.
        """
        wanted = bytes.fromhex(payment_hash)
        request = lightning_pb2.ListChannelsRequest()
        answer = await self._channel.ask("/lnrpc.Lightning/ListChannels", request)
        if any(h.hash_lock == wanted for c in answer.channels for h in c.pending_htlcs):
            return True
        request = lightning_pb2.PendingChannelsRequest()
        closing = await self._channel.ask("/lnrpc.Lightning/PendingChannels", request)
        forced = closing.pending_force_closing_channels
        return bool(closing.waiting_close_channels) or any(c.pending_htlcs for c in forced)

    async def traces(self) -> Traces:
        """What the open channels have sent so far, and since when lnd watches them."""
        request = lightning_pb2.ListChannelsRequest()
        answer = await self._channel.ask("/lnrpc.Lightning/ListChannels", request)
        return read_traces(answer.channels)

    async def decode_pay_req(self, payment_request: str) -> Decoded | None:
        """The invoice as lnd reads it, its signature verified; None: lnd refuses it."""
        request = lightning_pb2.PayReqString(pay_req=payment_request)
        uri = "/lnrpc.Lightning/DecodePayReq"
        answer = await self._channel.ask(uri, request, unless=is_past_the_macaroon)
        return None if answer is None else read_decoded(answer)

    # Payments in.

    async def add_invoice(
        self, preimage: bytes, *, amount_msat: int, memo: str, expiry_s: int
    ) -> str | None:
        """Add an invoice for this preimage; its BOLT11 text. None: lnd has one with this hash."""
        request = lightning_pb2.Invoice(
            r_preimage=preimage, value_msat=amount_msat, memo=memo, expiry=expiry_s
        )
        answer = await self._channel.ask(
            "/lnrpc.Lightning/AddInvoice", request, unless=is_duplicate_invoice
        )
        return None if answer is None else str(answer.payment_request)

    async def lookup_invoice(self, payment_hash: str) -> InvoiceView | None:
        """An own invoice; None: lnd has none with this hash."""
        request = lightning_pb2.PaymentHash(r_hash=bytes.fromhex(payment_hash))
        answer = await self._channel.ask(
            "/lnrpc.Lightning/LookupInvoice", request, unless=is_not_found
        )
        return None if answer is None else read_invoice(answer)

    async def subscribe_invoices(self, settle_index: int) -> AsyncGenerator[SettledInvoice]:
        """Own invoices as they are settled, after this index; ends by raising.

        With index 0 lnd sends only what is settled from now on.
        """
        request = lightning_pb2.InvoiceSubscription(settle_index=settle_index)
        uri = "/lnrpc.Lightning/SubscribeInvoices"
        async with aclosing(self._channel.stream(uri, request)) as invoices:
            async for invoice in invoices:
                view = read_invoice(invoice)
                if view.state is InvoiceState.SETTLED:
                    yield SettledInvoice(
                        view.payment_hash, view.amt_paid_msat, view.settle_index, view.settle_date_s
                    )

    async def _send(self, request: Any) -> SendAnswer:
        try:
            answer = await self._channel.ask(
                "/routerrpc.Router/SendPaymentV2", request, timeout_s=self._send_wait_s
            )
        except NodeError as error:
            return SendAnswer(None, str(error))
        return SendAnswer(read_payment(answer), "accepted")


def _limits(fee_limit_msat: int) -> dict[str, Any]:
    """What bounds every payment. Unset, the fee limit means routes without a fee only.

    Without updates in flight the stream's first word is its last: an answer comes when the payment
    has ended, so that one `track` after it settles the attempt, or after SEND_WAIT_S.
    """
    return {
        "fee_limit_msat": fee_limit_msat,
        "cltv_limit": CLTV_LIMIT,
        "max_parts": PARTS_MAX,
        "timeout_seconds": PAYMENT_TIMEOUT_S,
        "no_inflight_updates": True,
    }
