"""`flattr-node bench …`: ratios, measured side by side in one run.

Single figures of a machine say little; each is put beside what the same machine can do at best (a
no-op, a warm read, a bare loop) or what one would write first (an ORM loop), in the same run. What
is going on is told on standard error, so that standard output holds the figures alone. All of it
runs on uvloop, as `serve` does.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final, Literal

import uvloop
from cyclopts import App, Parameter
from rich.table import Table

from node.cli.options import Json, progress_screen, say_json, screen
from node.devnet.bench_audit import AuditFigures, bench_audit
from node.devnet.bench_clicks import ClickFigures, Load, bench_clicks
from node.devnet.bench_close import Closes, bench_close
from node.devnet.bench_counters import CounterFigures, bench_counters
from node.devnet.bench_payouts import PayoutFigures, bench_payouts
from node.devnet.bench_places import Kind
from node.devnet.bench_processes import ProcessFigures, bench_processes
from node.devnet.bench_writes import SigningFigures, WriteFigures, bench_signing, bench_writes
from node.devnet.postgres import open_postgres

SIZES: Final = (100_000, 1_000_000, 10_000_000)

bench = App(
    name="bench",
    help="Measure clicks, counters, the close, payouts and the audit against what is possible.",
)

Database = Literal["sqlite", "postgres", "both"]


@bench.command
def clicks(
    *,
    rows: Annotated[int, Parameter(help="How many clicks are in the table already.")] = 10_000_000,
    connections: Annotated[int, Parameter(help="How many ask at once.")] = 128,
    seconds: Annotated[float, Parameter(help="How long each is measured a round.")] = 3.0,
    rounds: Annotated[int, Parameter(help="Rounds; medians count.")] = 5,
    database: Database = "both",
    as_json: Json = False,
) -> None:
    """Click over HTTP: against a no-op of the same server and one ORM commit a click."""
    with tempfile.TemporaryDirectory(prefix="flattr-bench-") as folder, open_postgres() as url:
        load = Load(rows, connections, seconds, rounds)
        found = [
            uvloop.run(bench_clicks(Path(folder), url, kind, load, _tell))
            for kind in _kinds(database)
        ]
    _show({"clicks": [asdict(one) for one in found]}, _click_table(found), as_json=as_json)


@bench.command
def processes(
    *,
    rows: Annotated[int, Parameter(help="How many clicks are in the table already.")] = 1_000_000,
    connections: Annotated[int, Parameter(help="How many ask at once.")] = 128,
    seconds: Annotated[float, Parameter(help="How long each is measured a round.")] = 3.0,
    rounds: Annotated[int, Parameter(help="Rounds; medians count.")] = 5,
    database: Database = "both",
    as_json: Json = False,
) -> None:
    """Click over HTTP with 1, 2 and 4 processes on a database: against one that does nothing."""
    with tempfile.TemporaryDirectory(prefix="flattr-bench-") as folder, open_postgres() as url:
        load = Load(rows, connections, seconds, rounds)
        found = [
            one
            for kind in _kinds(database)
            for one in uvloop.run(bench_processes(Path(folder), url, kind, load, _tell))
        ]
    figures = {"processes": [asdict(one) for one in found]}
    _show(figures, _process_table(found), as_json=as_json)


@bench.command
def counters(
    *,
    connections: Annotated[int, Parameter(help="How many ask at once.")] = 64,
    seconds: Annotated[float, Parameter(help="How long each is measured a round.")] = 3.0,
    rounds: Annotated[int, Parameter(help="Rounds; medians count.")] = 5,
    as_json: Json = False,
) -> None:
    """Ask for counters and badges over HTTP: against a no-op of the same server."""
    found = uvloop.run(bench_counters(connections, seconds, rounds, _tell))
    _show({"counters": [asdict(one) for one in found]}, _counter_table(found), as_json=as_json)


@bench.command
def close(
    *,
    rows: Annotated[
        tuple[int, ...], Parameter(help="How many flattrs; several may be given.")
    ] = SIZES,
    rounds: Annotated[int, Parameter(help="How often each is closed.")] = 1,
    database: Database = "both",
    as_json: Json = False,
) -> None:
    """Close months, on copies: against a warm read of the bytes and an ORM loop."""
    kinds = _kinds(database)
    with tempfile.TemporaryDirectory(prefix="flattr-bench-") as folder, open_postgres() as url:
        found = uvloop.run(bench_close(Path(folder), url, kinds, sorted(rows), rounds, _tell))
    _show(found.figures(), _close_table(found), as_json=as_json)


@bench.command
def writes(
    *,
    rows: Annotated[int, Parameter(help="How many flattrs.")] = 1_000_000,
    rounds: Annotated[int, Parameter(help="Rounds; medians count.")] = 3,
    as_json: Json = False,
) -> None:
    """Write what a close writes: against the database's own INSERT … SELECT; and sign a batch."""
    with tempfile.TemporaryDirectory(prefix="flattr-bench-") as folder:
        found = uvloop.run(bench_writes(Path(folder), rows, rounds, _tell))
    signing = uvloop.run(bench_signing())
    figures = {"writes": asdict(found), "signing": asdict(signing)}
    _show(figures, _write_table(found, signing), as_json=as_json)


@bench.command
def payouts(
    *,
    number: Annotated[int, Parameter(help="Payouts a round.")] = 300,
    rounds: Annotated[int, Parameter(help="Rounds; the median counts.")] = 5,
    as_json: Json = False,
) -> None:
    """Pay on the local real network: against a bare loop of SendPaymentV2."""
    with tempfile.TemporaryDirectory(prefix="flattr-bench-") as folder:
        found = uvloop.run(bench_payouts(Path(folder), number, rounds, _tell))
    _show(asdict(found), _payout_table(found), as_json=as_json)


@bench.command
def audit(
    *,
    postings: Annotated[int, Parameter(help="How many postings the ledger has.")] = 1_000_000,
    rounds: Annotated[int, Parameter(help="Rounds; medians count.")] = 3,
    database: Database = "sqlite",
    as_json: Json = False,
) -> None:
    """Audit a large ledger: against one warm read of its table of postings."""
    with tempfile.TemporaryDirectory(prefix="flattr-bench-") as folder, _server(database) as url:
        found = [
            uvloop.run(bench_audit(Path(folder), url, kind, postings, rounds, _tell))
            for kind in _kinds(database)
        ]
    figures = [{**asdict(one), "times_a_read": one.times_a_read} for one in found]
    _show({"audit": figures}, _audit_table(found), as_json=as_json)


@bench.default
def everything(*, as_json: Json = False) -> None:
    """All of them, at their usual sizes."""
    clicks(as_json=as_json)
    processes(as_json=as_json)
    counters(as_json=as_json)
    close(as_json=as_json)
    writes(as_json=as_json)
    payouts(as_json=as_json)
    audit(as_json=as_json)


def _server(database: Database) -> AbstractContextManager[str | None]:
    return nullcontext() if database == "sqlite" else open_postgres()


def _kinds(database: Database) -> tuple[Kind, ...]:
    return ("sqlite", "postgres") if database == "both" else (database,)


def _tell(words: str) -> None:
    progress_screen().print(words)


def _show(figures: object, table: Table, *, as_json: bool) -> None:
    if as_json:
        say_json(figures)
    else:
        screen().print(table)


def _click_table(found: Sequence[ClickFigures]) -> Table:
    first = found[0]
    table = Table(
        title=f"Durable clicks over HTTP, {first.rows:,} rows there, {first.connections} at once"
    )
    for column in ("database", "no-op/s", "clicks/s", "of no-op", "naive/s", "times naive",
                   "p50 ms", "p99 ms", "alone p50 ms", "folded/s"):  # fmt: skip
        table.add_column(column, justify="right")
    for one in found:
        table.add_row(
            one.database, f"{one.noop_per_s:,.0f}", f"{one.clicks_per_s:,.0f}",
            f"{one.of_noop:.2f}", f"{one.naive_per_s:,.0f}", f"{one.times_naive:.0f}",
            f"{one.clicks_p50_ms:.1f}", f"{one.clicks_p99_ms:.1f}", f"{one.alone_p50_ms:.2f}",
            f"{one.fold_per_s:,.0f}",
        )  # fmt: skip
    return table


def _process_table(found: Sequence[ProcessFigures]) -> Table:
    table = Table(title="Durable clicks over HTTP by several processes")
    for column in ("database", "processes", "no-op/s", "clicks/s", "of no-op", "times one",
                   "p50 ms", "p99 ms"):  # fmt: skip
        table.add_column(column, justify="right")
    for one in found:
        table.add_row(
            one.database, str(one.processes), f"{one.noop_per_s:,.0f}",
            f"{one.clicks_per_s:,.0f}", f"{one.of_noop:.2f}", f"{one.times_one:.2f}",
            f"{one.p50_ms:.1f}", f"{one.p99_ms:.1f}",
        )  # fmt: skip
    return table


def _counter_table(found: Sequence[CounterFigures]) -> Table:
    table = Table(title="Counters and badges over HTTP")
    for column in ("what", "a second", "of no-op", "p50 ms", "p99 ms"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for one in found:
        table.add_row(
            one.name, f"{one.per_s:,.0f}", f"{one.of_noop:.2f}", f"{one.p50_ms:.1f}",
            f"{one.p99_ms:.1f}",
        )  # fmt: skip
    return table


def _close_table(found: Closes) -> Table:
    table = Table(title="Close of a month")
    for column in ("database", "flattrs", "s", "flattrs/s", "peak MiB", "warm reads",
                   "packed reads", "digest"):  # fmt: skip
        table.add_column(column, justify="right")
    for one in found.closes:
        table.add_row(
            one.database, f"{one.flattrs:,}", f"{one.seconds:.2f}", f"{one.flattrs_per_s:,.0f}",
            f"{one.peak_mib:.0f}", f"{one.times_a_read:.0f}", f"{one.times_a_packed_read:.0f}",
            one.digest[:12],
        )  # fmt: skip
    table.caption = (
        f"{found.times_naive:.0f} times the ORM loop at {found.naive_flattrs:,} flattrs; "
        f"growth exponent {found.exponent('sqlite') or 0:.2f}"
    )
    return table


def _write_table(found: WriteFigures, signing: SigningFigures) -> Table:
    table = Table(title=f"What a close of {found.flattrs:,} flattrs writes, on SQLite")
    for column in ("rows", "ours s", "INSERT … SELECT s", "of it"):
        table.add_column(column, justify="right")
    table.add_row(
        f"{found.rows:,}", f"{found.ours_s:.2f}", f"{found.floor_s:.2f}", f"{found.of_floor:.2f}"
    )
    table.caption = (
        f"a batch of {signing.recipients}: calldata {signing.calldata_ms:.2f} ms,"
        f" signature {signing.sign_ms:.2f} ms"
    )
    return table


def _audit_table(found: Sequence[AuditFigures]) -> Table:
    table = Table(title="Audit of the whole ledger, without lnd and chain")
    for column in ("database", "postings", "s", "processor s", "a warm read s", "warm reads",
                   "peak MiB"):  # fmt: skip
        table.add_column(column, justify="right")
    for one in found:
        table.add_row(
            one.database, f"{one.postings:,}", f"{one.seconds:.1f}", f"{one.processor_s:.1f}",
            f"{one.read_s:.2f}", f"{one.times_a_read:.0f}", f"{one.peak_mib:.0f}",
        )  # fmt: skip
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
