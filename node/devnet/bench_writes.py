"""What a close writes, beside the database's own INSERT … SELECT of the same rows.

    ours     the stages `booked` and `opened` of a close: its entries, postings, accounts, payouts,
             with all that is computed for them
    floor    the same rows out of tables that hold them already, into a copy of the database of
             before, with the same triggers, constraints and indexes, in one transaction

SQLite only: there a copy is a file, and the rows come out of another file.

    signing  a batch of 500 recipients: its calldata, and the signed transaction
"""

from __future__ import annotations

import secrets
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any, Final

from node.devnet.bench_child import median, run_child, say
from node.devnet.bench_month import MonthPlan
from node.devnet.bench_places import open_copy, open_place, sqlite_path
from node.store.sqlite import PRAGMAS
from node.wallet.stablecoin.calldata import pay_batch_calldata
from node.wallet.stablecoin.signer import Order, Signer

RECIPIENTS: Final = 500
SIGNED: Final = 41
_CLOSE: Final = "bench_close"
_MODULE: Final = "bench_writes"
_TABLES: Final = {"entry": "number", "account": "id", "posting": "entry", "payout": "id"}
"""In the order in which they refer to each other; by which column what is new is known."""
_PROOF: Final = 10
_ADDRESS_BITS: Final = 160
_UNITS_MAX: Final = 10**9


@dataclass(frozen=True, slots=True)
class WriteFigures:
    """Medians over the rounds. `of_floor`: our stages over the INSERT … SELECT of each round."""

    flattrs: int
    rows: int
    rounds: int
    ours_s: float
    floor_s: float
    of_floor: float


@dataclass(frozen=True, slots=True)
class SigningFigures:
    """One batch, in milliseconds: medians."""

    recipients: int
    calldata_ms: float
    sign_ms: float


async def bench_writes(
    folder: Path, flattrs: int, rounds: int, tell: Callable[[str], None]
) -> WriteFigures:
    """Close a month of so many flattrs, and write the same rows plainly. Raises DaemonError."""
    found = []
    async with open_place(folder, None, "sqlite") as seed:
        await run_child(_CLOSE, "prepare", seed, flattrs)
        for number in range(rounds):
            async with open_copy(seed) as ours, open_copy(seed) as plain:
                close = await run_child(_CLOSE, "close", ours)
                floor = await run_child(_MODULE, "floor", ours, plain)
            ours_s = close["stages_s"]["booked"] + close["stages_s"]["opened"]
            found.append((ours_s, floor["seconds"], floor["rows"]))
            words = f"ours {ours_s:.2f} s, INSERT … SELECT {floor['seconds']:.2f} s"
            tell(f"round {number + 1} of {rounds}: {words}")
    return WriteFigures(
        MonthPlan.of(flattrs).flattrs, found[0][2], rounds, median([ours for ours, _, _ in found]),
        median([floor for _, floor, _ in found]), median([o / f for o, f, _ in found]),
    )  # fmt: skip


async def bench_signing() -> SigningFigures:
    """Encode and sign one batch of RECIPIENTS, in a process of its own."""
    return SigningFigures(**await run_child(_MODULE, "sign"))


def _floor(closed: Path, plain: Path) -> dict[str, Any]:
    """Write into `plain` what a close has written into `closed`; seconds and rows."""
    with closing(sqlite3.connect(plain, isolation_level=None)) as connection:
        for pragma in PRAGMAS:
            connection.execute(pragma)
        connection.execute("ATTACH ? AS closed", (str(closed),))
        columns = {table: _columns(connection, table) for table in _TABLES}
        for table, key in _TABLES.items():
            connection.execute(
                f"CREATE TABLE want_{table} AS SELECT {columns[table]} FROM closed.{table}"
                f" WHERE {key} NOT IN (SELECT {key} FROM main.{table})"
            )
        connection.execute("UPDATE want_account SET balance = 0")  # postings move it
        connection.execute("DETACH closed")
        began = perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        rows = sum(
            connection.execute(
                f"INSERT INTO {table} ({columns[table]}) SELECT {columns[table]} FROM want_{table}"
            ).rowcount
            for table in _TABLES
        )
        connection.execute("COMMIT")
        return {"seconds": perf_counter() - began, "rows": rows}


def _columns(connection: sqlite3.Connection, table: str) -> str:
    return ", ".join(row[1] for row in connection.execute(f"PRAGMA main.table_info({table})"))


def _sign() -> dict[str, Any]:
    random = Random(RECIPIENTS)  # noqa: S311  a draw that can be repeated
    words = [
        random.getrandbits(_ADDRESS_BITS) << 64 | random.randrange(_UNITS_MAX)
        for _ in range(RECIPIENTS)
    ]
    proof = [random.randbytes(32) for _ in range(_PROOF)]
    signer = Signer(secrets.token_bytes(32))
    encoded, signed = [], []
    for nonce in range(SIGNED):
        began = perf_counter()
        data = pay_batch_calldata(24_322, nonce, words, proof)
        encoded.append(perf_counter() - began)
        began = perf_counter()
        signer.sign(Order(31_337, nonce, signer.address, data, 10**7, 10**9, 10**11))
        signed.append(perf_counter() - began)
    return {
        "recipients": RECIPIENTS, "calldata_ms": 1000 * median(encoded[1:]),
        "sign_ms": 1000 * median(signed[1:]),
    }  # fmt: skip


def main() -> None:
    """Run one step, named by argv."""
    step, *urls = sys.argv[1:]
    if step == "sign":
        say(_sign())
        return
    closed, plain = (sqlite_path(url) for url in urls)
    assert closed is not None, "the bench is of files"
    assert plain is not None, "the bench is of files"
    say(_floor(closed, plain))


if __name__ == "__main__":
    main()
