"""`flattr-node bench close|payouts`: ratios, measured side by side in one run.

Single figures of a machine say little; each is put beside what the same machine can do at best (a
warm read, a bare loop) or what one would write first (an ORM loop), in the same run.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Final, Literal

from cyclopts import App, Parameter
from rich.table import Table

from node.cli.options import Json, say_json, screen
from node.devnet.bench_close import Closes, Kind, bench_close
from node.devnet.bench_payouts import PayoutFigures, bench_payouts
from node.devnet.postgres import open_postgres

SIZES: Final = (100_000, 1_000_000, 10_000_000)

bench = App(name="bench", help="Measure the close and the payouts against what is possible.")

Database = Literal["sqlite", "postgres", "both"]


@bench.command
async def close(
    *,
    rows: Annotated[
        tuple[int, ...], Parameter(help="How many flattrs; several may be given.")
    ] = SIZES,
    rounds: Annotated[int, Parameter(help="How often each is closed.")] = 1,
    database: Database = "both",
    as_json: Json = False,
) -> None:
    """Close months, on copies: against a warm read of the bytes and an ORM loop."""
    kinds: tuple[Kind, ...] = ("sqlite", "postgres") if database == "both" else (database,)
    console = screen()
    with tempfile.TemporaryDirectory(prefix="flattr-bench-") as folder, open_postgres() as url:
        tell = (lambda _: None) if as_json else console.print
        found = await bench_close(Path(folder), url, kinds, sorted(rows), rounds, tell)
    if as_json:
        say_json(found.figures())
    else:
        console.print(_close_table(found))


@bench.command
async def payouts(
    *,
    number: Annotated[int, Parameter(help="Payouts a round.")] = 150,
    rounds: Annotated[int, Parameter(help="Rounds; the median counts.")] = 3,
    as_json: Json = False,
) -> None:
    """Pay on the local real network: against a bare loop of SendPaymentV2."""
    console = screen()
    with tempfile.TemporaryDirectory(prefix="flattr-bench-") as folder:
        tell = (lambda _: None) if as_json else console.print
        found = await bench_payouts(Path(folder), number, rounds, tell)
    if as_json:
        say_json(found.figures())
    else:
        console.print(_payout_table(found))


@bench.default
async def everything(*, as_json: Json = False) -> None:
    """All of them, at their usual sizes."""
    await close(as_json=as_json)
    await payouts(as_json=as_json)


def _close_table(found: Closes) -> Table:
    table = Table(title="Close of a month")
    for column in ("database", "flattrs", "s", "flattrs/s", "peak MiB", "warm reads", "digest"):
        table.add_column(column, justify="right")
    for one in found.closes:
        table.add_row(
            one.database, f"{one.flattrs:,}", f"{one.seconds:.2f}", f"{one.flattrs_per_s:,.0f}",
            f"{one.peak_mib:.0f}", f"{one.times_a_read:.0f}", one.digest[:12],
        )  # fmt: skip
    table.caption = (
        f"{found.times_naive:.0f} times the ORM loop at {found.naive_flattrs:,} flattrs; "
        f"growth exponent {found.exponent('sqlite') or 0:.2f}"
    )
    return table


def _payout_table(found: PayoutFigures) -> Table:
    table = Table(title=f"Payouts over two hops, {found.lightning}, 32 at once")
    for column in ("payouts", "rounds", "bare/s", "the node/s", "ratio"):
        table.add_column(column, justify="right")
    table.add_row(
        str(found.payouts), str(found.rounds), f"{found.bare_per_s:.1f}",
        f"{found.node_per_s:.1f}", f"{found.ratio:.2f}",
    )  # fmt: skip
    return table
