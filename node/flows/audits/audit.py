"""The audit: every invariant of the ledger, of Lightning and of the vault, with its figures.

    read the books (one moment) ▶ read LND ▶ a line for each invariant ▶ a breach stops dispatch
                                             then the vault, in the same way (vault.py)

The laws that the store checks by query, the months recomputed from what went into them, and what
LND and the chain say against ours: independent ways to find what is wrong. Nothing is repaired
here.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from node.clock import Clock, now_s
from node.errors import NodeError
from node.flows.audits import books as own
from node.flows.audits import lightning as other
from node.flows.audits import vault as audit_vault
from node.flows.audits.books import Books
from node.flows.audits.conservation import conserved_line
from node.flows.audits.lightning import Network
from node.flows.audits.lines import Line, Report, State, count, judge, unchecked
from node.flows.operator.access import NODE
from node.flows.vault.stablecoin import RAIL as STABLECOIN
from node.flows.vault.stablecoin import Stablecoin
from node.store import leases, operator_figures, operator_log
from node.store.engine import Store
from node.store.operator_figures import AuditResult
from node.store.operator_log import Act
from node.wallet.lightning.lnd import Lnd

RAIL: Final = "lightning"
STOPPED: Final = "the audit found a breach: "
"""What the breaker says begins so."""


async def audit(
    store: Store, clock: Clock, lnd: Lnd | None, stablecoin: Stablecoin | None = None,
    *, no_chain: str = "", deposits_max: int | None = None,
) -> Report:  # fmt: skip
    """Audit everything. Without LND, or when it can't be asked, what needs it is unchecked.

    The same goes for the stablecoin; `no_chain` says why it is None although the settings name it.
    Where the books have none, and the settings neither, nothing is said of it. `deposits_max`: so
    many of the newest deposits are compared with LND, each by a call; None: all.
    """
    books = await own.read_books(store, RAIL, now_s(clock))
    network, why = None, "--offline"
    if lnd is not None:
        try:
            network = await other.read_network(lnd, store, books, RAIL, deposits_max)
        except NodeError as error:
            why = str(error)
    lines = [*_lines(books, network, why), *await _vault(store, books, stablecoin, no_chain)]
    return Report(_head(store, books, network), tuple(lines))


async def stop_on_breach(store: Store, clock: Clock, report: Report) -> bool:
    """Open the breaker if anything is broken, so that nothing more is sent; whether it is.

    The result is kept for the console and the metrics.
    """
    broken = [line for line in report.lines if line.state is State.BREACH]
    words = ", ".join(f"{line.id} {line.law}" for line in broken)
    async with store.write("breaker.breach") as tx:
        result = AuditResult(clock.now_us(), report.result, words[:500])
        await operator_figures.keep_audit(tx, result)
        if not broken:
            return False
        words = STOPPED + words
        now_us, words = clock.now_us(), words[:500]
        opened = [await leases.halt(tx, rail, words, now_us) for rail in (RAIL, STABLECOIN)]
        if any(opened):
            await operator_log.append(tx, Act(NODE, "stopped", "sending", words), now_us)
    return True


async def _vault(
    store: Store, books: Books, stablecoin: Stablecoin | None, no_chain: str
) -> list[Line]:
    if stablecoin is not None:
        return await audit_vault.vault_lines(store, stablecoin)
    if not books.others and not no_chain:
        return []
    why = no_chain or "--offline"
    return [*audit_vault.unchecked_lines(why), await audit_vault.gas_line(store)]


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
        *books.again.months,
        other.deposits_line(books, network),
        own.chain_line(books),
        own.open_line(books),
        fees,
        unchecked("I13", "channels agree", why) if network is None else conserved_line(network),
        own.budget_line(books),
        own.clicks_line(books),
        own.log_line(books),
        own.sound_line(books),
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
