"""What the simulated nodes know: balances, invoices, payments. State only, no tasks and no gRPC.

Money is where it can be counted, at every instant:

    total = sum of the nodes' balances + the router's fees + what payments have locked in HTLCs

A payment is IN_FLIGHT, then SUCCEEDED or FAILED, and keeps two things apart: what it is, which the
control tower and the money go by, and what it shows, which a `Mask` may falsify for some reads.
Invoices are kept as the messages that lnd would send.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import grpc
from cryptography.hazmat.primitives.asymmetric import ec

from node.wallet.lightning.simulated_invoice import Bolt11, encode_invoice, payment_hash_of
from node.wallet.lightning.stubs import lightning_pb2 as ln

IN_FLIGHT: Final[int] = ln.Payment.IN_FLIGHT
SUCCEEDED: Final[int] = ln.Payment.SUCCEEDED
FAILED: Final[int] = ln.Payment.FAILED
ABSENT: Final = -1
"""What a mask shows when the payment seems not to be there."""
KEYSEND_RECORD: Final = 5482373484
"""The TLV type in which a keysend carries its preimage (bLIP 3)."""
EXPIRY_DEFAULT_S: Final = 86_400
CLTV_EXPIRY_DEFAULT: Final = 80


class LndAnswer(Exception):
    """A refusal as lnd puts it on the wire; the gate turns it into a gRPC status."""

    def __init__(self, text: str, code: grpc.StatusCode = grpc.StatusCode.UNKNOWN) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class Bell:
    """Wakes everybody who waits. Take `next` before looking, then wait for it."""

    def __init__(self) -> None:
        self.next = asyncio.Event()

    def ring(self) -> None:
        """Wake those who wait now."""
        self.next.set()
        self.next = asyncio.Event()


@dataclass(frozen=True, slots=True)
class Intent:
    """What a payer asks for. Amounts in msat, CLTV in blocks from the tip, `dest` a public key."""

    payment_hash: bytes
    dest: bytes
    amount_msat: int
    fee_limit_msat: int
    final_cltv: int
    cltv_limit: int
    timeout_s: int
    payment_secret: bytes = b""
    payment_request: str = ""
    records: Mapping[int, bytes] = field(default_factory=dict)


@dataclass(slots=True)
class Mask:
    """Shows `status` until it was read `reads` times and the clock has passed `until_us`."""

    status: int
    reads: int
    until_us: int = 0


@dataclass(slots=True)
class Payment:
    """One outgoing payment: what it is (`status`), and what it shows for now (`masks`)."""

    intent: Intent
    index: int
    created_us: int
    status: int = IN_FLIGHT
    reason: int = ln.FAILURE_REASON_NONE
    preimage: bytes = bytes(32)
    fee_msat: int = 0
    locked_msat: int = 0
    """Amount and fee while an HTLC holds them; else 0."""
    attempts: list[Any] = field(default_factory=list)
    """lnrpc.HTLCAttempt, at most one: the simulation does not split."""
    masks: list[Mask] = field(default_factory=list)
    bell: Bell = field(default_factory=Bell)
    verdict: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a held payment may go on; `preimage_refused` says how."""
    preimage_refused: bool = False

    def shown(self, now_us: int, *, read: bool) -> int:
        """The status that a caller sees; `read` uses up one read of a mask."""
        while self.masks:
            mask = self.masks[0]
            if mask.reads <= 0 and now_us >= mask.until_us:
                self.masks.pop(0)
                continue
            mask.reads -= int(read)
            return mask.status
        return self.status

    def message(self, shown: int) -> Any:
        """The lnrpc.Payment of a payment that shows the status `shown`."""
        truth = shown == self.status
        settled = truth and shown == SUCCEEDED
        reason = self.reason if truth else ln.FAILURE_REASON_NONE
        if shown == FAILED and not truth:
            reason = ln.FAILURE_REASON_NO_ROUTE
        fee_msat = self.fee_msat if settled else 0
        return ln.Payment(
            payment_hash=self.intent.payment_hash.hex(),
            payment_preimage=(self.preimage if settled else bytes(32)).hex(),
            value_sat=self.intent.amount_msat // 1000,
            value_msat=self.intent.amount_msat,
            payment_request=self.intent.payment_request,
            status=shown,
            fee_sat=fee_msat // 1000,
            fee_msat=fee_msat,
            creation_time_ns=self.created_us * 1000,
            htlcs=self.attempts if truth else [],
            payment_index=self.index,
            failure_reason=reason,
        )


@dataclass(slots=True)
class Node:
    """One node: its key, its money and its two databases. `balance_msat` excludes locked HTLCs."""

    name: str
    key: ec.EllipticCurvePrivateKey
    pubkey: bytes
    balance_msat: int
    invoices: dict[bytes, Any] = field(default_factory=dict)
    """lnrpc.Invoice by payment hash, in the order of add_index."""
    settled: list[Any] = field(default_factory=list)
    """The settled ones in the order of settle_index."""
    receipts: list[tuple[str, int]] = field(default_factory=list)
    """(payment hash in hex, msat): what really arrived, once for each arrival."""
    payments: dict[bytes, Payment] = field(default_factory=dict)
    payments_made: int = 0
    sent_msat: int = 0
    """What has left its channel for good, amounts and fees."""
    started_us: int = 0
    bell: Bell = field(default_factory=Bell)

    def add_invoice(self, request: Any, preimage: bytes, secret: bytes, now_s: int) -> Any:
        """Write, sign and store an invoice (lnrpc.Invoice). Raises LndAnswer for a known hash."""
        payment_hash = payment_hash_of(preimage)
        if payment_hash in self.invoices:
            raise LndAnswer("invoice with payment hash already exists")
        invoice = ln.Invoice(
            memo=request.memo,
            description_hash=request.description_hash,
            value=request.value or request.value_msat // 1000,
            value_msat=request.value_msat or request.value * 1000,
            expiry=request.expiry or EXPIRY_DEFAULT_S,
            cltv_expiry=request.cltv_expiry or CLTV_EXPIRY_DEFAULT,
            r_preimage=preimage,
            r_hash=payment_hash,
            payment_addr=secret,
        )
        invoice.payment_request = encode_invoice(self._bolt11(invoice, now_s), self.key)
        return self._store(invoice, now_s)

    def add_keysend(self, payment_hash: bytes, preimage: bytes, msat: int, now_s: int) -> Any:
        """The invoice that lnd makes up for a keysend that arrives."""
        invoice = ln.Invoice(
            r_preimage=preimage,
            r_hash=payment_hash,
            value=msat // 1000,
            value_msat=msat,
            expiry=EXPIRY_DEFAULT_S,
            is_keysend=True,
        )
        return self._store(invoice, now_s)

    def invoice(self, payment_hash: bytes, now_s: int) -> Any | None:
        """The invoice of this hash as of now, or None. An open one that expired is canceled."""
        invoice = self.invoices.get(payment_hash)
        if invoice is None:
            return None
        if invoice.state == ln.Invoice.OPEN and now_s > invoice.creation_date + invoice.expiry:
            invoice.state = ln.Invoice.CANCELED
        return invoice

    def settle(self, invoice: Any, intent: Intent, now_s: int) -> None:
        """Take the money. Only a keysend can come twice, and then has no second settle_index."""
        amount_msat = intent.amount_msat
        self.balance_msat += amount_msat
        self.receipts.append((invoice.r_hash.hex(), amount_msat))
        invoice.amt_paid_msat += amount_msat
        invoice.amt_paid_sat = invoice.amt_paid_msat // 1000
        if invoice.state != ln.Invoice.SETTLED:
            invoice.state = ln.Invoice.SETTLED
            invoice.settled = True
            invoice.settle_date = now_s
            invoice.settle_index = len(self.settled) + 1
            self.settled.append(invoice)
        htlc = invoice.htlcs.add(
            htlc_index=len(self.receipts),
            amt_msat=amount_msat,
            accept_time=now_s,
            resolve_time=now_s,
            state=ln.SETTLED,
        )
        htlc.custom_records.update(intent.records)
        self.bell.ring()

    def _bolt11(self, invoice: Any, now_s: int) -> Bolt11:
        return Bolt11(
            payment_hash=invoice.r_hash,
            payment_secret=invoice.payment_addr,
            payee=self.pubkey,
            amount_msat=invoice.value_msat,
            timestamp_s=now_s,
            description=invoice.memo,
            description_hash=invoice.description_hash,
            expiry_s=invoice.expiry,
            final_cltv=invoice.cltv_expiry,
        )

    def _store(self, invoice: Any, now_s: int) -> Any:
        invoice.creation_date = now_s
        invoice.add_index = len(self.invoices) + 1
        self.invoices[invoice.r_hash] = invoice
        self.bell.ring()
        return invoice
