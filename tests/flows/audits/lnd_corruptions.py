"""What can be wrong with lnd: a payment forgotten, altered, made by another hand; an invoice too.

Each takes the simulated node that pays and alters it; `undo` puts back what was there.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from node.wallet.lightning.simulated_books import FAILED, IN_FLIGHT, SUCCEEDED, Node, Payment
from node.wallet.lightning.stubs import lightning_pb2 as ln

STRANGER = hashlib.sha256(b"a payment that nobody here has made").digest()


@contextmanager
def altered(node: Node, alter: Callable[[Node], None]) -> Iterator[None]:
    """The node as `alter` leaves it, until the block ends."""
    payments, invoices, balance = dict(node.payments), dict(node.invoices), node.balance_msat
    node.payments = {key: copy.copy(one) for key, one in payments.items()}
    node.invoices = {key: _copy(one) for key, one in invoices.items()}
    try:
        alter(node)
        yield
    finally:
        node.payments, node.invoices, node.balance_msat = payments, invoices, balance


def _copy(invoice: Any) -> Any:
    copied = ln.Invoice()
    copied.CopyFrom(invoice)
    return copied


def _paid(node: Node) -> Payment:
    return next(one for one in node.payments.values() if one.status == SUCCEEDED)


def _credited(node: Node) -> Any:
    return next(one for one in node.invoices.values() if one.state == ln.Invoice.SETTLED)


def _forget_payment(node: Node) -> None:
    del node.payments[_paid(node).intent.payment_hash]


def _forget_all(node: Node) -> None:
    node.payments = {}


def _set_status(status: int) -> Callable[[Node], None]:
    def alter(node: Node) -> None:
        _paid(node).status = status

    return alter


def _pay_more(node: Node) -> None:
    paid = _paid(node)
    paid.intent = replace(paid.intent, amount_msat=paid.intent.amount_msat + 1000)


def _pay_less(node: Node) -> None:
    paid = _paid(node)
    paid.intent = replace(paid.intent, amount_msat=paid.intent.amount_msat - 1000)


def _cost_more(node: Node) -> None:
    _paid(node).fee_msat += 1


def _strange(status: int) -> Callable[[Node], None]:
    def alter(node: Node) -> None:
        paid = _paid(node)
        intent = replace(paid.intent, payment_hash=STRANGER)
        node.payments[STRANGER] = Payment(intent, 999, paid.created_us, status)

    return alter


def _lose_sats(node: Node) -> None:
    node.balance_msat = 1000


def _forget_invoice(node: Node) -> None:
    del node.invoices[_credited(node).r_hash]


def _set_invoice(state: int) -> Callable[[Node], None]:
    def alter(node: Node) -> None:
        _credited(node).state = state

    return alter


def _receive(more_msat: int) -> Callable[[Node], None]:
    def alter(node: Node) -> None:
        _credited(node).amt_paid_msat += more_msat

    return alter


BY_LND: dict[str, tuple[str, Callable[[Node], None]]] = {
    "lnd has forgotten a payment": ("I6", _forget_payment),
    "lnd has forgotten all payments": ("I6", _forget_all),
    "lnd says that a payment failed": ("I6", _set_status(FAILED)),
    "lnd says that a payment is in flight still": ("I6", _set_status(IN_FLIGHT)),
    "lnd has paid a sat more": ("I6", _pay_more),
    "lnd has paid a sat less": ("I6", _pay_less),
    "lnd has paid a larger fee": ("I13", _cost_more),
    "lnd has paid somebody by another hand": ("I7", _strange(SUCCEEDED)),
    "lnd pays somebody by another hand": ("I7", _strange(IN_FLIGHT)),
    "the channels are empty": ("I3", _lose_sats),
    "lnd has forgotten a deposit": ("I10", _forget_invoice),
    "lnd says that a deposit is open": ("I10", _set_invoice(ln.Invoice.OPEN)),
    "lnd says that a deposit is held": ("I10", _set_invoice(ln.Invoice.ACCEPTED)),
    "lnd says that a deposit was canceled": ("I10", _set_invoice(ln.Invoice.CANCELED)),
    "lnd has received a sat less": ("I10", _receive(-1000)),
    "lnd has received a sat more": ("I10", _receive(1000)),
}
"""By name: the line that must find it, and what is done."""
