"""Deposits in: invoices whose preimages this node derives, and the stream of those that were paid.

    create            preimage = HMAC-SHA256(deposit seed, "deposit" + deposit id)
    settled           from the last settle_index that is stored, for ever, over lost connections
    lookup            one invoice; the sweep of what the stream did not show

A deposit's hash is known before lnd is asked, so it is stored first; a crash between storing and
AddInvoice is repaired by doing it again, because lnd knows a hash once. lnd replays nothing for
settle_index 0, so until the first index is stored, `lookup` finds what was paid while nobody
listened.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

import structlog

from node.clock import Clock
from node.errors import ConfigError, RailUnavailable
from node.ids import PaymentHash
from node.money import Amount
from node.wallet.lightning.answers import InvoiceView, SettledInvoice
from node.wallet.lightning.lnd import Lnd

SEED_BYTES: Final = 32
RECONNECT_FIRST_S: Final = 1
RECONNECT_LONGEST_S: Final = 60
_log = structlog.get_logger(__name__)


class LightningInvoices:
    """Invoices of one lnd. `deposit_seed`: 32 secret bytes, the same for the node's life."""

    def __init__(self, lnd: Lnd, clock: Clock, deposit_seed: bytes) -> None:
        if len(deposit_seed) != SEED_BYTES:
            raise ConfigError(f"the deposit seed has {len(deposit_seed)} bytes; it needs 32")
        self._lnd = lnd
        self._clock = clock
        self._seed = deposit_seed

    def payment_hash_of(self, deposit_id: str) -> PaymentHash:
        """The hash that this deposit is paid under, whether or not lnd knows it yet."""
        return PaymentHash(hashlib.sha256(self._preimage(deposit_id)).hexdigest())

    async def create(
        self, deposit_id: str, amount: Amount, memo: str, expiry_s: int
    ) -> tuple[PaymentHash, str]:
        """The payment hash and BOLT11 text of this deposit's one invoice.

        Asked again, the first invoice comes back, whatever the other arguments are now. Raises
        RailUnavailable, ConfigError.
        """
        payment_hash = self.payment_hash_of(deposit_id)
        added = await self._lnd.add_invoice(
            self._preimage(deposit_id), amount_msat=amount.units, memo=memo, expiry_s=expiry_s
        )
        if added is not None:
            return payment_hash, added
        known = await self._lnd.lookup_invoice(payment_hash)
        if known is None:
            raise RailUnavailable("lnd has an invoice with this hash, and does not show it")
        return payment_hash, known.payment_request

    async def lookup(self, payment_hash: PaymentHash) -> InvoiceView | None:
        """The invoice as lnd shows it now; None: lnd has none. Raises RailUnavailable."""
        return await self._lnd.lookup_invoice(payment_hash)

    async def settled(self, from_index: int) -> AsyncGenerator[SettledInvoice]:
        """Paid invoices after this settle_index, in order, each once; never ends by itself.

        A lost connection is made again, after 1 s at first and 60 s at most. Raises ConfigError.
        """
        wait_s = RECONNECT_FIRST_S
        while True:
            try:
                async with aclosing(self._lnd.subscribe_invoices(from_index)) as invoices:
                    async for invoice in invoices:
                        from_index = max(from_index, invoice.settle_index)
                        wait_s = RECONNECT_FIRST_S
                        yield invoice
            except RailUnavailable as error:
                _log.warning("invoice_stream_lost", words=str(error), again_in_s=wait_s)
            await self._clock.sleep(wait_s)
            wait_s = min(2 * wait_s, RECONNECT_LONGEST_S)

    def _preimage(self, deposit_id: str) -> bytes:
        return hmac.digest(self._seed, b"deposit" + deposit_id.encode(), "sha256")
