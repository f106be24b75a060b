"""Our reader of invoices against lnd's own: whatever we accept, lnd accepts and reads the same.

    python -m tests.hostile bolt11 --n 200000 --seed 1
    python -m tests.hostile bolt11 --text lnsb…          one text, as both read it

Mutants of invoices that a real lnd has written go to that lnd's DecodePayReq. "Accepted by us" is
what `parse_invoice` reads and names this network, which is what the rail goes on with.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any, Final

import grpc.aio
from lndgrpc.compiled import lightning_pb2 as ln

from node.devnet.chain import open_chain
from node.devnet.daemons import ensure_daemons
from node.devnet.nodes import Lnd
from node.errors import QuoteRefused
from node.wallet.lightning.bolt11 import Invoice, parse_invoice
from tests.hostile.bolt11_mutants import MUTATORS
from tests.hostile.bolt11_parts import Parts, take_apart
from tests.hostile.printed import table

NETWORK: Final = "sb"
AT_ONCE: Final = 64
BATCH: Final = 4000
SHOWN_MAX: Final = 20


@dataclass
class Figures:
    """What became of the mutants."""

    honest: int = 0
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(kind, one of COLUMNS)."""
    only_lnd: Counter[str] = field(default_factory=Counter)
    """Our reasons to refuse what lnd reads."""
    differ: list[tuple[str, str, str]] = field(default_factory=list)
    """(kind, how they differ, the text): must stay empty."""
    seconds: float = 0.0

    @property
    def mutants(self) -> int:
        """How many were read by both."""
        return sum(self.counts.values())

    def of(self, column: str) -> int:
        """How many of all kinds."""
        return sum(count for (_, name), count in self.counts.items() if name == column)


COLUMNS: Final = ("both accept", "both refuse", "only lnd", "DIFFER")


async def run(number: int, seed: int, tell: Any) -> Figures:
    """`number` mutants against a real lnd of its own."""
    async with open_lnd_alone() as stub:
        return await compare(stub, number, seed, tell)


async def compare(stub: Any, number: int, seed: int, tell: Any) -> Figures:
    """`number` mutants of invoices that this lnd writes, read by it and by us."""
    honest = [take_apart(text) for text in await written_by(stub, Random(seed))]
    figures = Figures(honest=len(honest))
    began = perf_counter()
    for start in range(0, number, BATCH):
        batch = [mutant(honest, seed, at) for at in range(start, min(number, start + BATCH))]
        await _judge(stub, batch, figures)
        tell(f"{figures.mutants} mutants, {len(figures.differ)} differ")
    figures.seconds = perf_counter() - began
    return figures


def mutant(honest: Sequence[Parts], seed: int, at: int) -> tuple[str, str]:
    """(kind, text) of the mutant of this number."""
    dice = Random(f"{seed}:{at}")
    kind = list(MUTATORS)[at % len(MUTATORS)]
    return kind, MUTATORS[kind](dice.choice(honest), dice)


async def _judge(stub: Any, batch: Sequence[tuple[str, str]], figures: Figures) -> None:
    waiting = iter(batch)

    async def reader() -> None:
        for kind, text in waiting:
            column, words = _verdict(ours(text), await theirs(stub, text))
            figures.counts[kind, column] += 1
            if column == "only lnd":
                figures.only_lnd[_without_figures(words)] += 1
            if column == "DIFFER":
                figures.differ.append((kind, words, text))

    await asyncio.gather(*(reader() for _ in range(AT_ONCE)))


def ours(text: str) -> Invoice | str:
    """What our reader makes of it, or why it refuses."""
    try:
        invoice = parse_invoice(text)
    except QuoteRefused as error:
        return str(error)
    if invoice.network_prefix != NETWORK:
        return "the invoice is for another network"
    return invoice


async def theirs(stub: Any, text: str) -> Any | str:
    """What lnd makes of it (PayReq), or why it refuses."""
    try:
        return await stub.DecodePayReq(ln.PayReqString(pay_req=text), timeout=60)
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.UNKNOWN:
            raise
        return str(error.details())


def _verdict(mine: Invoice | str, theirs_: Any | str) -> tuple[str, str]:
    if isinstance(mine, str):
        return ("both refuse", mine) if isinstance(theirs_, str) else ("only lnd", mine)
    if isinstance(theirs_, str):
        return "DIFFER", f"lnd refuses: {theirs_}"
    apart = differences(mine, theirs_)
    return ("DIFFER", apart) if apart else ("both accept", "")


def differences(mine: Invoice, read: Any) -> str:
    """What lnd reads otherwise, in words; empty if nothing."""
    hops = [
        [
            (hop.pubkey, hop.short_channel_id, hop.fee_base_msat, hop.fee_ppm, hop.cltv_delta)
            for hop in route
        ]
        for route in mine.route_hints
    ]
    their_hops = [
        [
            (
                hop.node_id,
                hop.chan_id,
                hop.fee_base_msat,
                hop.fee_proportional_millionths,
                hop.cltv_expiry_delta,
            )
            for hop in route.hop_hints
        ]
        for route in read.route_hints
    ]
    pairs = {
        "hash": (mine.payment_hash, read.payment_hash),
        "secret": (mine.payment_secret, read.payment_addr.hex()),
        "amount": (mine.amount_msat or 0, read.num_msat),
        "payee": (mine.payee or read.destination, read.destination),
        "date": (mine.timestamp_s, read.timestamp),
        "expiry": (mine.expiry_s, read.expiry),
        "cltv": (mine.min_final_cltv, read.cltv_expiry),
        "description hash": (mine.description_hash or "", read.description_hash),
        "features": (set(mine.features), set(read.features)),
        "routes": (hops, their_hops),
    }
    return "; ".join(
        f"{name}: we read {one}, lnd {other}"
        for name, (one, other) in pairs.items()
        if one != other
    )


def _without_figures(words: str) -> str:
    return "".join("#" if char.isdigit() else char for char in words).replace("##", "#")


async def written_by(stub: Any, dice: Random) -> list[str]:
    """Honest invoices of every shape that lnd writes."""
    made = []
    for amount_msat in (0, 1, 999, 1000, 21_000, 2_500_000, 123_456_789, 5_000_000_000):
        for more in (
            {"memo": "for the blog"},
            {"description_hash": dice.randbytes(32)},
            {"expiry": dice.randrange(1, 10**6), "cltv_expiry": dice.randrange(24, 144)},
            {"memo": "y" * 300},
            {"route_hints": [_hint(dice), _hint(dice)]},
        ):
            order = ln.Invoice(value_msat=amount_msat, **more)
            made.append((await stub.AddInvoice(order)).payment_request)
    return made


def _hint(dice: Random) -> Any:
    hops = [
        ln.HopHint(
            node_id="02" + "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
            chan_id=dice.randrange(2**63),
            fee_base_msat=dice.randrange(5000),
            fee_proportional_millionths=dice.randrange(5000),
            cltv_expiry_delta=dice.randrange(200),
        )
    ]
    return ln.RouteHint(hop_hints=hops)


@asynccontextmanager
async def open_lnd_alone() -> AsyncIterator[Any]:
    """The stub of a real lnd without channels."""
    daemons = await ensure_daemons(print)
    with tempfile.TemporaryDirectory() as folder:
        async with open_chain(Path(folder) / "btcd", daemons.btcd) as btcd:
            lnd = Lnd("alone", Path(folder) / "alone", daemons.lnd, btcd)
            try:
                await lnd.start()
                yield lnd.lightning
            finally:
                await lnd.close()


def printed(figures: Figures) -> str:
    """The tables."""
    kinds = sorted({kind for kind, _ in figures.counts})
    rows = [[kind, *(figures.counts[kind, name] for name in COLUMNS)] for kind in kinds]
    rows.append(["all", *(figures.of(name) for name in COLUMNS)])
    lines = [table(["mutants", *COLUMNS], rows), "", "lnd alone reads it, and we say:"]
    lines += [f"  {count:7} {words}" for words, count in figures.only_lnd.most_common()]
    for kind, words, text in figures.differ[:SHOWN_MAX]:
        lines += [f"{kind}: {words}", f"  python -m tests.hostile bolt11 --text {text!r}"]
    lines.append(
        f"{figures.mutants} mutants of {figures.honest} invoices in {figures.seconds:.0f} s:"
        f" {len(figures.differ)} accepted that lnd refuses or reads differently"
    )
    return "\n".join(lines)


async def show(text: str) -> bool:
    """Print how both read one text; whether that is in order."""
    async with open_lnd_alone() as stub:
        mine, read = ours(text), await theirs(stub, text)
    column, words = _verdict(mine, read)
    print(f"we: {mine}\nlnd: {read}\n{column}: {words}")
    return column != "DIFFER"
