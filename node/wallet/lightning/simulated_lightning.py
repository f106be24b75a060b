# ruff: noqa: N802  the names are lnd's
"""The Lightning and State services of a simulated node: invoices, balances, lists.

SubscribeInvoices follows lnd to the letter in what surprises people: an index of 0 replays nothing,
so what settled before the first subscription must be looked up; an index n replays what came after
n and then goes on live.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

import grpc

from node.clock import now_s
from node.errors import BadInput
from node.wallet.lightning.simulated_books import ABSENT, IN_FLIGHT, SUCCEEDED, LndAnswer, Node
from node.wallet.lightning.simulated_gate import Door
from node.wallet.lightning.simulated_invoice import decode_invoice
from node.wallet.lightning.simulated_payments import World, bad_input_as_lnd
from node.wallet.lightning.stubs import (
    lightning_pb2,
    lightning_pb2_grpc,
    stateservice_pb2,
    stateservice_pb2_grpc,
)

ln: Final = lightning_pb2
MEMO_SIZE_MAX: Final = 639
INVOICES_PAGE: Final = 100
VERSION: Final = "simulated"


class Lightning(lightning_pb2_grpc.LightningServicer):  # type: ignore[misc]  # untyped stubs
    """lnrpc.Lightning for one node."""

    def __init__(self, world: World, node: Node, door: Door) -> None:
        self._world = world
        self._node = node
        self._door = door

    async def GetInfo(self, request: Any, context: Any) -> Any:
        """Who it is, and whether it is synced."""
        del request, context
        synced = self._node.name not in self._world.faults.unsynced
        return ln.GetInfoResponse(
            version=VERSION,
            identity_pubkey=self._node.pubkey.hex(),
            alias=self._node.name,
            num_active_channels=1,
            num_peers=1,
            block_height=self._world.block_height,
            best_header_timestamp=self._now_s(),
            synced_to_chain=synced,
            synced_to_graph=synced,
            chains=[ln.Chain(chain="bitcoin", network="simnet")],
        )

    async def AddInvoice(self, request: Any, context: Any) -> Any:
        """Make an invoice; the preimage is the caller's or random."""
        del context
        if len(request.memo.encode()) > MEMO_SIZE_MAX:
            size = len(request.memo.encode())
            raise LndAnswer(f"memo too large: {size} bytes (maxsize={MEMO_SIZE_MAX})")
        if len(request.description_hash) not in {0, 32}:
            size = len(request.description_hash)
            raise LndAnswer(f"description hash is {size} bytes, must be 32")
        if len(request.r_preimage) not in {0, 32}:
            raise LndAnswer(f"invalid preimage length of {len(request.r_preimage)}, want 32")
        if request.value and request.value_msat:
            raise LndAnswer("sat and msat arguments are mutually exclusive")
        if request.value < 0 or request.value_msat < 0:
            raise LndAnswer("payments of negative value are not allowed")
        invoice = write_invoice(self._world, self._node, request)
        return ln.AddInvoiceResponse(
            r_hash=invoice.r_hash,
            payment_request=invoice.payment_request,
            add_index=invoice.add_index,
            payment_addr=invoice.payment_addr,
        )

    async def LookupInvoice(self, request: Any, context: Any) -> Any:
        """One invoice by its payment hash."""
        del context
        payment_hash = request.r_hash or bytes.fromhex(request.r_hash_str)
        invoice = self._node.invoice(payment_hash, self._now_s())
        if invoice is None:
            raise LndAnswer("unable to locate invoice", grpc.StatusCode.NOT_FOUND)
        return invoice

    async def ListInvoices(self, request: Any, context: Any) -> Any:
        """Page through the invoices by add_index."""
        del context
        pending = {ln.Invoice.OPEN, ln.Invoice.ACCEPTED}
        found = [
            self._node.invoice(payment_hash, self._now_s()) for payment_hash in self._node.invoices
        ]
        page = _page(
            [(each.add_index, each) for each in found if each is not None],
            request,
            request.num_max_invoices or INVOICES_PAGE,
        )
        shown = [each for _, each in page if not request.pending_only or each.state in pending]
        return ln.ListInvoiceResponse(invoices=shown, **_offsets(page))

    async def SubscribeInvoices(self, request: Any, context: Any) -> AsyncIterator[Any]:
        """Stream what is added and what is settled."""
        del context
        node = self._node
        added = request.add_index or len(node.invoices)
        settled = request.settle_index or len(node.settled)
        while True:
            changed = node.bell.next
            for invoice in list(node.invoices.values())[added:]:
                added += 1
                yield invoice
            for invoice in node.settled[settled:]:
                settled += 1
                yield invoice
            await changed.wait()

    async def DecodePayReq(self, request: Any, context: Any) -> Any:
        """What a payment request says, its signature verified."""
        del context
        try:
            invoice = decode_invoice(request.pay_req)
        except BadInput as error:
            raise bad_input_as_lnd(error) from error
        return ln.PayReq(
            destination=invoice.payee.hex(),
            payment_hash=invoice.payment_hash.hex(),
            num_satoshis=invoice.amount_msat // 1000,
            num_msat=invoice.amount_msat,
            timestamp=invoice.timestamp_s,
            expiry=invoice.expiry_s,
            description=invoice.description,
            description_hash=invoice.description_hash.hex(),
            cltv_expiry=invoice.final_cltv,
            payment_addr=invoice.payment_secret,
            features={bit: ln.Feature(is_required=bit % 2 == 0) for bit in invoice.features},
        )

    async def ChannelBalance(self, request: Any, context: Any) -> Any:
        """What the node can spend, what it can take, and what hangs in HTLCs."""
        del request, context
        locked_msat = sum(payment.locked_msat for payment in self._node.payments.values())
        balance_msat = self._node.balance_msat
        remote_msat = self._world.total_msat() - balance_msat - locked_msat
        return ln.ChannelBalanceResponse(
            balance=balance_msat // 1000,
            local_balance=_amount(balance_msat),
            remote_balance=_amount(remote_msat),
            unsettled_local_balance=_amount(locked_msat),
        )

    async def ListChannels(self, request: Any, context: Any) -> Any:
        """One channel, to the router, wide enough for all money there is."""
        del request, context
        node, capacity_msat = self._node, self._world.total_msat()
        held = [payment for payment in node.payments.values() if payment.locked_msat]
        locked_msat = sum(payment.locked_msat for payment in held)
        channel = ln.Channel(
            active=True,
            remote_pubkey=self._world.router_pubkey.hex(),
            channel_point=f"{node.pubkey[1:].hex()}:0",
            chan_id=1 << 40 | int.from_bytes(node.pubkey[1:5], "big"),
            capacity=capacity_msat // 1000,
            local_balance=node.balance_msat // 1000,
            remote_balance=(capacity_msat - node.balance_msat - locked_msat) // 1000,
            unsettled_balance=locked_msat // 1000,
            total_satoshis_sent=node.sent_msat // 1000,
            lifetime=max(0, self._world.clock.now_us() - node.started_us) // 1_000_000,
            pending_htlcs=[_htlc(payment) for payment in held],
        )
        return ln.ListChannelsResponse(channels=[channel])

    async def PendingChannels(self, request: Any, context: Any) -> Any:
        """There is never any."""
        del request, context
        return ln.PendingChannelsResponse()

    async def ListPayments(self, request: Any, context: Any) -> Any:
        """Page through the payments by payment_index, as they show themselves just now."""
        del context
        now_us = self._world.clock.now_us()
        wanted = []
        for payment in self._node.payments.values():
            shown = payment.shown(now_us, read=False)
            if shown == SUCCEEDED or (request.include_incomplete and shown != ABSENT):
                wanted.append((payment.index, payment.message(shown)))
        page = _page(wanted, request, request.max_payments or len(wanted))
        total = len(wanted) if request.count_total_payments else 0
        return ln.ListPaymentsResponse(
            payments=[message for _, message in page], total_num_payments=total, **_offsets(page)
        )

    async def DeletePayment(self, request: Any, context: Any) -> Any:
        """Forget a finished payment: from then on lnd would pay its hash again."""
        del context
        payment = self._node.payments.get(request.payment_hash)
        if payment is None:
            raise LndAnswer("non bucket element in payments bucket")
        if payment.status == IN_FLIGHT:
            raise LndAnswer("payment is in flight")
        del self._node.payments[request.payment_hash]
        return ln.DeletePaymentResponse()

    async def CheckMacaroonPermissions(self, request: Any, context: Any) -> Any:
        """Whether a macaroon may call the method (`fullMethod`, or permissions of entity uri)."""
        del context
        uris = {each.action for each in request.permissions if each.entity == "uri"}
        uris |= {request.fullMethod} - {""}
        admin = request.macaroon == self._door.admin_macaroon
        others = any(each.entity != "uri" for each in request.permissions)
        allowed = all(self._door.allows(request.macaroon, uri) for uri in uris)
        if not admin and (others or not allowed):
            raise LndAnswer("permission denied", grpc.StatusCode.INVALID_ARGUMENT)
        return ln.CheckMacPermResponse(valid=True)

    def _now_s(self) -> int:
        return now_s(self._world.clock)


class State(stateservice_pb2_grpc.StateServicer):  # type: ignore[misc]  # untyped stubs
    """lnrpc.State for one node."""

    def __init__(self, world: World, node: Node) -> None:
        self._world = world
        self._node = node

    async def GetState(self, request: Any, context: Any) -> Any:
        """LOCKED, UNLOCKED while it starts, or SERVER_ACTIVE."""
        del request, context
        faults, name = self._world.faults, self._node.name
        state = stateservice_pb2.SERVER_ACTIVE
        if name in faults.starting:
            state = stateservice_pb2.UNLOCKED
        if name in faults.locked:
            state = stateservice_pb2.LOCKED
        return stateservice_pb2.GetStateResponse(state=state)


def write_invoice(world: World, node: Node, request: Any) -> Any:
    """Store an lnrpc.Invoice at the node, with the request's preimage or a random one."""
    preimage = request.r_preimage or secrets.token_bytes(32)
    return node.add_invoice(request, preimage, secrets.token_bytes(32), now_s(world.clock))


def _amount(msat: int) -> Any:
    return ln.Amount(sat=msat // 1000, msat=msat)


def _htlc(payment: Any) -> Any:
    return ln.HTLC(
        incoming=False,
        amount=payment.locked_msat // 1000,
        hash_lock=payment.intent.payment_hash,
        expiration_height=payment.attempts[0].route.total_time_lock,
        htlc_index=payment.index,
    )


def _page(indexed: Sequence[tuple[int, Any]], request: Any, limit: int) -> list[tuple[int, Any]]:
    """Page as lnd does: after `index_offset` upwards, or before it downwards; always in order."""
    offset = request.index_offset
    if request.reversed:
        before = [each for each in indexed if offset == 0 or each[0] < offset]
        return before[max(0, len(before) - limit) :]
    return [each for each in indexed if each[0] > offset][:limit]


def _offsets(page: Sequence[tuple[int, Any]]) -> dict[str, int]:
    if not page:
        return {}
    return {"first_index_offset": page[0][0], "last_index_offset": page[-1][0]}
