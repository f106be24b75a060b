"""The audit: every invariant of the ledger and of Lightning, with the figures behind it.

    read the books (one moment) ▶ read LND ▶ a line for each invariant ▶ a breach stops dispatch

The laws that the store checks by query, the months recomputed from what went into them, and LND's
payments and invoices against ours: three independent ways to find what is wrong. Nothing is
repaired here.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from node.clock import Clock, now_s
from node.errors import NodeError
from node.flows import audit_books as own
from node.flows import audit_lightning as other
from node.flows.audit_books import Books
from node.flows.audit_lightning import Network
from node.flows.audit_lines import Line, Report, State, count, judge, unchecked
from node.store import leases
from node.store.engine import Store
from node.wallet.lightning.lnd import Lnd

RAIL: Final = "lightning"
STOPPED: Final = "the audit found a breach: "
"""What the breaker says begins so."""


async def audit(store: Store, clock: Clock, lnd: Lnd | None) -> Report:
    """Audit everything. Without LND, or when it can't be asked, what needs it is unchecked."""
    async with store.read() as tx:
        books = await own.read_books(tx, RAIL, now_s(clock))
    network, why = None, "--offline"
    if lnd is not None:
        try:
            network = await other.read_network(lnd, store, books, RAIL)
        except NodeError as error:
            why = str(error)
    return Report(_head(store, books, network), tuple(_lines(books, network, why)))


async def stop_on_breach(store: Store, clock: Clock, report: Report) -> bool:
    """Open the breaker if anything is broken, so that nothing more is sent; whether it is."""
    broken = [line for line in report.lines if line.state is State.BREACH]
    if not broken:
        return False
    words = STOPPED + ", ".join(f"{line.id} {line.law}" for line in broken)
    async with store.write() as tx:
        await leases.halt(tx, RAIL, words[:500], clock.now_us())
    return True


def _lines(books: Books, network: Network | None, why: str) -> list[Line]:
    fees = own.fees_line(books)
    if network is not None and (wrong := other.fees_broken(books, network)):
        fees = judge("I13", fees.law, fees.figures, wrong)
    return [
        own.postings_line(books),
        own.negative_line(books),
        unchecked("I3", "sat solvency", why)
        if network is None
        else other.solvency_line(books, network),
        own.attempts_line(books),
        other.proofs_line(books, network),
        unchecked("I7", "lnd payments known", why)
        if network is None
        else other.foreign_line(books, network),
        own.closing_line(books),
        *books.months,
        other.deposits_line(books, network),
        own.chain_line(books),
        own.open_line(books),
        fees,
        own.budget_line(books),
        own.clicks_line(books),
    ]


def _head(store: Store, books: Books, network: Network | None) -> str:
    at = datetime.fromtimestamp(books.at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    size = books.size
    head = (
        f"flattr-node audit {at}  db={store.dialect.name} seq={count(size.seq)}"
        f" head={size.head[:4]}…{size.head[-2:]}"
    )
    if network is None:
        return f"{head}  lnd=not asked"
    node = network.node
    return f"{head}  lnd={node.pubkey[:4]}…({node.version}) block {count(node.block_height)}"
