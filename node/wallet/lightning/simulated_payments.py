"""How a payment runs through the simulated network.

    initiate ──► (latency / 2) find a route ──► lock amount + fee ──► (latency / 2) arrive
       │                │                                                 │
       │                └─ no route, too dear, no money: FAILED           ├─ refused: FAILED, unlock
       │                                                                  ├─ held: until released
       └─ ALREADY_EXISTS while the same hash is in flight or              └─ settled: the receiver
          paid; a FAILED one may be tried again                              and router get theirs

A payment runs in a task of the network, not of the caller: a client that hangs up or is killed
stops nothing, as with lnd. Between two awaits all is one step, so money is never in two places.
Latency passes on the event loop; dates, expiries and masks go by the network's clock, so that a
clock that stands still does not stop payments.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import grpc

from node.clock import Clock, now_s
from node.errors import BadInput
from node.wallet.lightning.simulated_books import (
    ABSENT,
    FAILED,
    IN_FLIGHT,
    KEYSEND_RECORD,
    SUCCEEDED,
    Intent,
    LndAnswer,
    Mask,
    Node,
    Payment,
)
from node.wallet.lightning.simulated_faults import Faults, Switch
from node.wallet.lightning.simulated_invoice import payment_hash_of
from node.wallet.lightning.stubs import lightning_pb2 as ln

BLOCK_PADDING: Final = 3
"""Blocks that lnd adds to a final CLTV delta, in case one is mined meanwhile."""
HOP_CLTV: Final = 80
"""The router's time lock delta, lnd's default."""
OVERPAID_MAX: Final = 2
"""BOLT 4: a receiver refuses more than this many times the amount."""


@dataclass(frozen=True, slots=True)
class RouteFees:
    """What each forwarding hop takes: lnd's default policy, and one hop between any two nodes."""

    base_msat: int = 1000
    parts_per_million: int = 1
    hops: int = 1

    def of(self, amount_msat: int) -> int:
        """The fee in msat for an amount in msat."""
        return self.hops * (self.base_msat + amount_msat * self.parts_per_million // 1_000_000)


@dataclass(slots=True)
class World:
    """All nodes, the router between them, and the payments that run."""

    nodes: Mapping[str, Node]
    clock: Clock
    faults: Faults
    fees: RouteFees = field(default_factory=RouteFees)
    router_pubkey: bytes = bytes(33)
    router_msat: int = 0
    block_height: int = 500
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def total_msat(self) -> int:
        """All money there is: it never changes."""
        held_msat = sum(
            payment.locked_msat
            for node in self.nodes.values()
            for payment in node.payments.values()
        )
        return self.router_msat + held_msat + sum(n.balance_msat for n in self.nodes.values())

    def initiate(self, payer: Node, intent: Intent, *, faultless: bool = False) -> Payment:
        """Accept a payment and run it. Raises LndAnswer ALREADY_EXISTS as lnd's control tower."""
        before = payer.payments.pop(intent.payment_hash, None)
        if before is not None and before.status != FAILED:
            payer.payments[intent.payment_hash] = before
            paid = before.status == SUCCEEDED
            text = "invoice is already paid" if paid else "payment is in transition"
            raise LndAnswer(text, grpc.StatusCode.ALREADY_EXISTS)
        payer.payments_made += 1
        payment = Payment(intent, payer.payments_made, self.clock.now_us())
        payer.payments[intent.payment_hash] = payment
        run = _Run(self, payer, payment, faultless)
        run.mask()
        task = asyncio.create_task(run.execute(), name=f"pay {intent.payment_hash.hex()[:8]}")
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return payment

    def node_of(self, pubkey: bytes) -> Node | None:
        """The node that has this key."""
        return next((node for node in self.nodes.values() if node.pubkey == pubkey), None)

    def payment(self, payment_hash: str) -> Payment | None:
        """The payment of this hash that is in flight, whoever makes it."""
        for node in self.nodes.values():
            payment = node.payments.get(bytes.fromhex(payment_hash))
            if payment is not None and payment.status == IN_FLIGHT:
                return payment
        return None

    async def aclose(self) -> None:
        """Stop what still runs."""
        tasks = list(self.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@dataclass(slots=True)
class _Run:
    """One payment on its way."""

    world: World
    payer: Node
    payment: Payment
    faultless: bool

    def mask(self) -> None:
        """Put on what the payment will seem to be."""
        faults, now_us = self.world.faults, self.world.clock.now_us()
        if self._strikes(faults.not_found):
            switch = faults.not_found
            until_us = now_us + round(switch.seconds * 1_000_000)
            self.payment.masks.append(Mask(ABSENT, switch.reads, until_us))
        if self._strikes(faults.flapping):
            switch = faults.flapping
            until_us = now_us + round(switch.seconds * 1_000_000)
            self.payment.masks += [Mask(FAILED, switch.reads, until_us), Mask(IN_FLIGHT, 1)]

    async def execute(self) -> None:
        """Run to the end, which may be never."""
        payment, faults = self.payment, self.world.faults
        await asyncio.sleep(min(faults.latency_s / 2, payment.intent.timeout_s))
        if faults.latency_s / 2 > payment.intent.timeout_s:
            self._fail(ln.FAILURE_REASON_TIMEOUT)
            return
        if self._strikes(faults.phantom):
            self._attempt()
            return
        reason = self._unroutable()
        if reason is not None:
            self._fail(reason)
            return
        self._lock()
        await asyncio.sleep(faults.latency_s / 2)
        await self._arrive()

    def _strikes(self, switch: Switch) -> bool:
        intent = self.payment.intent
        return not self.faultless and self.world.faults.strike(
            switch, self.payer.name, intent.payment_hash
        )

    def _unroutable(self) -> int | None:
        intent, fee_msat = self.payment.intent, self.world.fees.of(self.payment.intent.amount_msat)
        too_long = intent.final_cltv + BLOCK_PADDING + self.world.fees.hops * HOP_CLTV
        if self._strikes(self.world.faults.no_route) or self.world.node_of(intent.dest) is None:
            return int(ln.FAILURE_REASON_NO_ROUTE)
        if intent.amount_msat > self.payer.balance_msat:
            return int(ln.FAILURE_REASON_INSUFFICIENT_BALANCE)
        if fee_msat > intent.fee_limit_msat or too_long > intent.cltv_limit:
            return int(ln.FAILURE_REASON_NO_ROUTE)
        if intent.amount_msat + fee_msat > self.payer.balance_msat:
            return int(ln.FAILURE_REASON_INSUFFICIENT_BALANCE)
        return None

    def _lock(self) -> None:
        payment = self.payment
        payment.fee_msat = self.world.fees.of(payment.intent.amount_msat)
        payment.locked_msat = payment.intent.amount_msat + payment.fee_msat
        self.payer.balance_msat -= payment.locked_msat
        self._attempt()

    def _attempt(self) -> None:
        payment, world = self.payment, self.world
        time_lock = world.block_height + payment.intent.final_cltv + BLOCK_PADDING
        route = ln.Route(
            total_time_lock=time_lock + world.fees.hops * HOP_CLTV,
            total_fees_msat=world.fees.of(payment.intent.amount_msat),
            total_amt_msat=payment.intent.amount_msat + world.fees.of(payment.intent.amount_msat),
        )
        attempt = ln.HTLCAttempt(
            attempt_id=payment.index,
            status=ln.HTLCAttempt.IN_FLIGHT,
            attempt_time_ns=world.clock.now_us() * 1000,
            route=route,
        )
        payment.attempts.append(attempt)
        payment.bell.ring()

    async def _arrive(self) -> None:
        world, intent = self.world, self.payment.intent
        receiver = world.node_of(intent.dest)
        assert receiver is not None
        invoice = _accept(receiver, intent, now_s(world.clock))
        if invoice is None:
            self._fail(ln.FAILURE_REASON_INCORRECT_PAYMENT_DETAILS)
            return
        if self._strikes(world.faults.hold):
            invoice.state = ln.Invoice.ACCEPTED
            receiver.bell.ring()
            await self.payment.verdict.wait()
            if self.payment.preimage_refused:
                invoice.state = ln.Invoice.CANCELED
                self._fail(ln.FAILURE_REASON_INCORRECT_PAYMENT_DETAILS)
                return
        self._settle(receiver, invoice)

    def _settle(self, receiver: Node, invoice: Any) -> None:
        payment, world = self.payment, self.world
        receiver.settle(invoice, payment.intent, now_s(world.clock))
        self.payer.sent_msat += payment.locked_msat
        world.router_msat += payment.fee_msat
        payment.locked_msat = 0
        payment.status, payment.preimage = SUCCEEDED, bytes(invoice.r_preimage)
        deadline_us = payment.created_us + payment.intent.timeout_s * 1_000_000
        if self._strikes(world.faults.late) or world.clock.now_us() > deadline_us:
            payment.reason = ln.FAILURE_REASON_TIMEOUT
        self._resolve(ln.HTLCAttempt.SUCCEEDED)

    def _fail(self, reason: int) -> None:
        payment = self.payment
        self.payer.balance_msat += payment.locked_msat
        payment.locked_msat = 0
        payment.status, payment.reason = FAILED, reason
        self._resolve(ln.HTLCAttempt.FAILED)

    def _resolve(self, status: int) -> None:
        for attempt in self.payment.attempts:
            attempt.status = status
            attempt.resolve_time_ns = self.world.clock.now_us() * 1000
            attempt.preimage = self.payment.preimage if status == ln.HTLCAttempt.SUCCEEDED else b""
        self.payment.bell.ring()


def _accept(receiver: Node, intent: Intent, at_s: int) -> Any | None:
    """The invoice that the HTLC pays, or None when the receiver refuses it (BOLT 4)."""
    invoice = receiver.invoice(intent.payment_hash, at_s)
    preimage = intent.records.get(KEYSEND_RECORD)
    if preimage is not None:
        if payment_hash_of(preimage) != intent.payment_hash:
            return None
        if invoice is None:
            return receiver.add_keysend(intent.payment_hash, preimage, intent.amount_msat, at_s)
        return invoice if invoice.is_keysend and invoice.state != ln.Invoice.ACCEPTED else None
    if invoice is None or invoice.state != ln.Invoice.OPEN:
        return None
    enough = invoice.value_msat <= intent.amount_msat
    too_much = invoice.value_msat and intent.amount_msat > OVERPAID_MAX * invoice.value_msat
    known = invoice.payment_addr == intent.payment_secret
    return invoice if known and enough and not too_much else None


def bad_input_as_lnd(error: BadInput) -> LndAnswer:
    """What can't be read is an UNKNOWN to lnd."""
    return LndAnswer(str(error))
