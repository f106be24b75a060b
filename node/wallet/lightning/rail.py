"""The Lightning rail: creators are paid by one lnd.

    prepare   a fresh invoice from the creator's server, or the creator's own, or a keysend; judged
              by the strict parser and by lnd, which must agree; nothing moves
    send      SendPaymentV2, once per stored attempt or again: lnd pays a hash once
    check     verdict.py, the only judge

A keysend has one preimage for the payout's life, HMAC-SHA256(payout seed, "keysend" + payout id),
so every try of a payout has the same hash, whatever was forgotten meanwhile. The same holds for a
creator's own BOLT11 invoice. After a refusal both come back from `prepare` as the same attempt.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog

from node.clock import Clock, now_s
from node.errors import BadTarget, ConfigError, FetchRefused, QuoteRefused, RailUnavailable
from node.ids import PaymentHash, PayoutId, attempt_id
from node.money import Amount, Asset
from node.settlement.attempt import Attempt
from node.settlement.payout import Payout
from node.settlement.rail import Capacity, Outcome
from node.wallet.fetch import Fetcher
from node.wallet.lightning.answers import Decoded, LndNode
from node.wallet.lightning.bolt11 import Invoice, parse_invoice
from node.wallet.lightning.lnd import Lnd
from node.wallet.lightning.quotes import check_invoice, quote
from node.wallet.lightning.targets import (
    Bolt11,
    LightningAddress,
    LnurlPay,
    NodeKey,
    parse_target,
)
from node.wallet.lightning.verdict import Verdicts

SEED_BYTES: Final = 32
KEYSEND: Final = "keysend:"
PODCAST_RECORD: Final = 7629169
"""The TLV record that names the paying app (bLIP-10)."""
_log = structlog.get_logger(__name__)


class LightningRail:
    """Implements `Rail`. `payout_seed`: 32 secret bytes, the same for the node's life."""

    name: str = "lightning"
    asset: Asset = Asset.SAT
    payouts_per_attempt_max: int = 1
    attempts_in_flight_max: int = 32

    def __init__(self, lnd: Lnd, fetcher: Fetcher, clock: Clock, payout_seed: bytes) -> None:
        if len(payout_seed) != SEED_BYTES:
            raise ConfigError(f"the payout seed has {len(payout_seed)} bytes; it needs 32")
        self._lnd = lnd
        self._fetcher = fetcher
        self._clock = clock
        self._seed = payout_seed
        self._verdicts = Verdicts(lnd, clock)

    async def capacity(self) -> Capacity:
        """What the channels can send. Raises RailUnavailable, ConfigError."""
        node = await self._lnd.read_node()
        outbound = await self._lnd.outbound()
        if not node.synced_to_chain:
            words = f"lnd is still reading the chain (block {node.block_height})"
            return Capacity(ready=False, spendable=Amount(0), words=words)
        if not outbound.active:
            words = f"no active channel ({outbound.inactive} inactive)"
            return Capacity(ready=False, spendable=Amount(0), words=words)
        spendable = Amount(outbound.spendable_msat)
        words = f"{spendable} can be sent; channels that are active: {outbound.active}"
        return Capacity(ready=True, spendable=spendable, words=words)

    async def prepare(self, payouts: Sequence[Payout], number: int) -> Attempt:
        """Get an invoice, or derive a keysend, and judge it. Moves nothing.

        Raises QuoteRefused (the receiver's fault), RailUnavailable, ConfigError.
        """
        (payout,) = payouts
        if payout.amount.asset is not Asset.SAT or payout.amount.whole_coins()[1]:
            raise QuoteRefused(f"{payout.amount} is not a whole number of sats")
        node = await self._synced_node()
        try:
            target = parse_target(payout.target or "", allow=self._fetcher.allow)
        except BadTarget as error:
            raise QuoteRefused(f"the payout target can't be paid: {error}") from error
        match target:
            case LightningAddress() | LnurlPay():
                try:
                    request = await quote(self._fetcher, target, payout.amount.units)
                except FetchRefused as error:
                    raise QuoteRefused(str(error)) from error
                return await self._invoice_attempt(payout, number, node, request)
            case Bolt11():
                return await self._invoice_attempt(payout, number, node, target.invoice)
            case NodeKey():
                return self._keysend_attempt(payout, number, node, target.pubkey)

    async def send(self, attempt: Attempt) -> None:
        """Send it, by the lnd that it was stored for. Says nothing about what became of it.

        Raises RailUnavailable when nothing was sent, ConfigError.
        """
        node = await self._lnd.known_node()
        if node.pubkey != attempt.sender:
            raise RailUnavailable(
                f"this payment belongs to lnd {attempt.sender}; connected is {node.pubkey}"
            )
        if attempt.expires_s is not None and now_s(self._clock) > attempt.expires_s:
            raise RailUnavailable("its invoice has expired; it is not sent any more")
        self._verdicts.forget(attempt.reference)
        fee_limit_msat = attempt.fee_limit.units
        if attempt.message.startswith(KEYSEND):
            answer = await self._lnd.pay_keysend(
                attempt.message.removeprefix(KEYSEND),
                amount_msat=attempt.amount.units,
                preimage=self._keysend_preimage(attempt),
                payment_hash=attempt.reference,
                fee_limit_msat=fee_limit_msat,
                records={PODCAST_RECORD: _boost(attempt.amount)},
            )
        else:
            answer = await self._lnd.pay_invoice(attempt.message, fee_limit_msat=fee_limit_msat)
        if answer.payment is not None:
            self._verdicts.heard(attempt.reference, answer.payment)
        else:
            _log.warning("lightning_not_answered", attempt=attempt.id, answer=answer.words)

    async def check(self, attempt: Attempt) -> Mapping[PayoutId, Outcome]:
        """Say what became of it (verdict.py). Raises RailUnavailable, ConfigError."""
        (payout,) = attempt.payouts
        return {payout: await self._verdicts.judge(attempt)}

    async def _synced_node(self) -> LndNode:
        node = await self._lnd.known_node()
        if not node.synced_to_chain:
            raise RailUnavailable("lnd is still reading the chain")
        return node

    async def _invoice_attempt(
        self, payout: Payout, number: int, node: LndNode, request: str
    ) -> Attempt:
        invoice = parse_invoice(request)
        check_invoice(
            invoice,
            amount_msat=payout.amount.units,
            network_prefix=node.network_prefix,
            now_s=now_s(self._clock),
            own_pubkey=node.pubkey,
            fee_limit_msat=payout.fee_limit.units,
        )
        decoded = await self._lnd.decode_pay_req(invoice.text)
        if decoded is None or not _agree(invoice, decoded):
            raise QuoteRefused("lnd reads the invoice differently, or not at all")
        if decoded.payee == node.pubkey:
            raise QuoteRefused("the invoice is this node's own")
        return _attempt(
            payout,
            number,
            node,
            invoice.payment_hash,
            message=invoice.text,
            expires_s=invoice.expires_at_s,
        )

    def _keysend_attempt(self, payout: Payout, number: int, node: LndNode, pubkey: str) -> Attempt:
        if pubkey == node.pubkey:
            raise QuoteRefused("the payout target is this node's own key")
        payment_hash = hashlib.sha256(self._preimage(payout.id)).hexdigest()
        return _attempt(
            payout, number, node, payment_hash, message=KEYSEND + pubkey, expires_s=None
        )

    def _keysend_preimage(self, attempt: Attempt) -> bytes:
        preimage = self._preimage(attempt.payouts[0])
        if hashlib.sha256(preimage).hexdigest() != attempt.reference:
            raise ConfigError("the payout seed is not the one that this keysend was stored under")
        return preimage

    def _preimage(self, payout: PayoutId) -> bytes:
        return hmac.digest(self._seed, b"keysend" + payout.encode(), "sha256")


def _agree(invoice: Invoice, decoded: Decoded) -> bool:
    """Whether both parsers read the same. The payee may be in the signature alone."""
    ours = (invoice.payment_hash, invoice.amount_msat, invoice.timestamp_s, invoice.expiry_s)
    theirs = (decoded.payment_hash, decoded.amount_msat, decoded.timestamp_s, decoded.expiry_s)
    locked_alike = invoice.min_final_cltv == decoded.min_final_cltv
    return ours == theirs and locked_alike and invoice.payee in {None, decoded.payee}


def _attempt(
    payout: Payout, number: int, node: LndNode, payment_hash: str, **message: Any
) -> Attempt:
    return Attempt(
        id=attempt_id(payout.id, PaymentHash(payment_hash)),
        rail=LightningRail.name,
        number=number,
        payouts=(payout.id,),
        reference=payment_hash,
        amount=payout.amount,
        fee_limit=payout.fee_limit,
        sender=node.pubkey,
        **message,
    )


def _boost(amount: Amount) -> bytes:
    record = {"action": "auto", "app_name": "flattr-node", "value_msat_total": amount.units}
    return json.dumps(record, sort_keys=True, separators=(",", ":")).encode()
