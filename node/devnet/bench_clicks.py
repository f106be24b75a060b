"""Clicks over HTTP: the node's own server against itself doing nothing, and against the naive twin.

    prepare    a database with members and their tokens, things, and so many rows in the inbox
    serve      one process: the whole node on a simulated lnd, with two more URLs on its server
                   POST /noop     an answer of the same shape, and nothing done for it
                   POST /naive    what one would write first (`bench_twins.NaiveClicks`)
    load       another process: so many connections, one request after another on each
    fold       a third: what folding a click costs later, which no click waits for

The same requests go to each of the three URLs in turn, so a slow moment of the machine meets all.
The schedule does not run meanwhile: it would fold the rows that are to be there.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any, Final, Literal, TypeAlias

import asyncpg
import uvloop
from aiohttp import web
from sqlalchemy.ext.asyncio import create_async_engine

from node import log
from node.app import open_node
from node.clock import SystemClock
from node.config import LndSettings, Settings, WebSettings
from node.devnet.bench_child import median, open_child, run_child, say
from node.devnet.bench_load import LoadFigures, post, press
from node.devnet.bench_month import MonthPlan, write_members, write_things
from node.devnet.bench_places import Kind, SharedPort, open_place
from node.devnet.bench_twins import NaiveClicks
from node.flows.fold import fold
from node.month import Month
from node.settlement.fold import FLATTR
from node.store.dialect import driver_url
from node.store.engine import Tx, open_store
from node.store.inbox import ClickRow, pack_group
from node.wallet.lightning.simulated import open_simulated_network
from node.web.server import open_server

Name: TypeAlias = Literal["noop", "clicks", "naive"]
Round: TypeAlias = dict[Name, LoadFigures]

URLS: Final[dict[Name, str]] = {
    "noop": "/noop", "clicks": "/api/v1/flattrs", "naive": "/naive",
}  # fmt: skip
PLAN: Final = MonthPlan(readers=12_000, things=20_000, creators=2_000)
"""Members 1 … 2,000 own the things; the other 10,000 click."""
CLICKERS: Final = 10_000
REQUESTS_A_CONNECTION: Final = 200
FOLDED: Final = 200_000
_WARM_S: Final = 5.0
_FAR_US: Final = 2**62
_MODULE: Final = "bench_clicks"
_NOTHING: Final = b'{"thing":1,"month":"2026-11","flattred":true,"network":"simnet"}'


@dataclass(frozen=True, slots=True)
class Load:
    """How much is asked: rows that are there before, connections, seconds and rounds."""

    rows: int
    connections: int
    seconds: float
    rounds: int


@dataclass(frozen=True, slots=True)
class ClickFigures:
    """One database: medians over the rounds, a second; ratios are medians of each round's."""

    database: Kind
    rows: int
    connections: int
    rounds: int
    noop_per_s: float
    clicks_per_s: float
    naive_per_s: float
    of_noop: float
    """Clicks over the no-op of the same round."""
    times_naive: float
    """Clicks over the naive twin of the same round."""
    clicks_p50_ms: float
    clicks_p99_ms: float
    noop_p50_ms: float
    alone_p50_ms: float
    """One click at a time on one connection."""
    fold_per_s: float
    """Clicks folded a second, by `flows/fold.py` alone."""


async def bench_clicks(
    folder: Path, postgres: str | None, kind: Kind, load: Load, tell: Callable[[str], None]
) -> ClickFigures:
    """Measure one database. Raises DaemonError."""
    async with open_place(folder, postgres, kind) as url:
        await run_child(_MODULE, "prepare", url, FOLDED)
        folded = await run_child(_MODULE, "fold", url)
    async with open_place(folder, postgres, kind) as url:
        tell(f"{kind}: writing {load.rows:,} rows into the inbox")
        await run_child(_MODULE, "prepare", url, load.rows)
        async with open_child(_MODULE, "serve", url) as told:
            found, alone = await _measure(int(told["port"]), load, lambda w: tell(f"{kind}: {w}"))
    return _figures(kind, load, found, alone, folded["per_s"])


async def _measure(
    port: int, load: Load, tell: Callable[[str], None]
) -> tuple[list[Round], LoadFigures]:
    """Each round's figures, and those of one connection alone."""
    found: list[Round] = []

    async def press_in_turn(name: Name, connections: int, seconds: float) -> LoadFigures:
        words = (port, name, connections, seconds, len(found))
        return LoadFigures(**await run_child(_MODULE, "load", *words))

    for name in URLS:
        await press_in_turn(name, load.connections, _WARM_S)  # caches fill; it does not count
    for number in range(load.rounds):
        found.append({n: await press_in_turn(n, load.connections, load.seconds) for n in URLS})
        rates = ", ".join(f"{name} {one.per_s:,.0f}/s" for name, one in found[-1].items())
        tell(f"round {number + 1} of {load.rounds}: {rates}")
    return found, await press_in_turn("clicks", 1, load.seconds)


def _figures(
    kind: Kind, load: Load, found: list[Round], alone: LoadFigures, fold_per_s: float
) -> ClickFigures:
    def rate(name: Name) -> float:
        return median([one[name].per_s for one in found])

    return ClickFigures(
        kind, load.rows, load.connections, load.rounds, rate("noop"), rate("clicks"), rate("naive"),
        median([one["clicks"].per_s / one["noop"].per_s for one in found]),
        median([one["clicks"].per_s / one["naive"].per_s for one in found]),
        median([one["clicks"].p50_ms for one in found]),
        median([one["clicks"].p99_ms for one in found]),
        median([one["noop"].p50_ms for one in found]),
        alone.p50_ms, fold_per_s,
    )  # fmt: skip


async def _prepare(url: str, rows: int) -> dict[str, Any]:
    async with open_store(url) as store:
        async with store.write() as tx:
            await write_members(tx, PLAN)
            await write_things(tx, PLAN)
            await _write_tokens(tx)
        async with store.write() as tx:
            await _write_inbox(tx, rows)
        postgres = store.dialect.name == "postgresql"
    if postgres:
        await _settle(url)
    return {}


async def _settle(url: str) -> None:
    """Let Postgres do now what it does for minutes after so many rows: else it is measured too."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("VACUUM ANALYZE flattr_inbox")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


async def _write_tokens(tx: Tx) -> None:
    rows = [
        (hashlib.sha256(_token(clicker).encode()).hexdigest(), f"t{clicker}", _member(clicker))
        for clicker in range(CLICKERS)
    ]
    await tx.run_rows(
        "INSERT INTO token (hash, id, member, label, scopes, created_us, expires_us)"
        " SELECT c0, c1, c2, 'bench', 'click', 0, CAST(:far AS bigint)"
        f" FROM {tx.dialect.json_rows(('text', 'text', 'bigint'))} WHERE true",
        rows, far=_FAR_US,
    )  # fmt: skip


async def _write_inbox(tx: Tx, rows: int) -> None:
    """So many clicks of this month that wait, each alone in its row: members and things in turn."""
    month = Month.at(SystemClock().now_us() // 1_000_000)
    there = min(rows, CLICKERS)
    await tx.run_each(
        "INSERT INTO flattr_inbox (month, at_us, clicks) VALUES (:month, 0, :clicks)",
        [
            {"month": month.ordinal, "clicks": pack_group([_waiting(number)])[0]}
            for number in range(there)
        ],
    )
    while there < rows:
        there += await tx.run(
            "INSERT INTO flattr_inbox (month, at_us, clicks)"
            " SELECT month, at_us, clicks FROM flattr_inbox ORDER BY id LIMIT :missing",
            missing=rows - there,
        )


def _waiting(number: int) -> ClickRow:
    return 1 + number % PLAN.creators, 1 + number * 7919 % PLAN.things, FLATTR, None


async def _fold(url: str) -> dict[str, Any]:
    async with open_store(url) as store:
        began = perf_counter()
        folded = await fold(store, SystemClock())
        return {"per_s": folded / (perf_counter() - began)}


async def _serve(url: str, shared: SharedPort | None = None) -> None:
    log.set_up()
    engine = create_async_engine(driver_url(url))
    twin = NaiveClicks(engine)
    await twin.make_tables()
    with tempfile.TemporaryDirectory(prefix="flattr-bench-") as text:
        folder = Path(text)
        async with open_simulated_network(folder / "net", {"node": 0}) as network:
            lnd = LndSettings(lndconnect=network.nodes["node"].lndconnect)
            limits = WebSettings(
                port=shared.port if shared else 0, processes=2 if shared else 1,
                requests_per_minute=10**9, connections_per_address=10**4,
            )  # fmt: skip
            settings = Settings(database=url, lnd=lnd, web=limits)
            more = [web.post(URLS["noop"], _noop), web.post(URLS["naive"], twin.flattr)]
            socket = shared.clicks if shared else None
            async with (
                open_node(settings, folder, SystemClock(), click_socket=socket) as node,
                open_server(node, more) as server,
            ):
                say({"port": int(server.url.rpartition(":")[2])})
                await asyncio.to_thread(sys.stdin.read)  # until the parent closes it
    await engine.dispose()


async def _noop(request: web.Request) -> web.Response:
    del request
    return web.Response(body=_NOTHING, headers={"Content-Type": "application/json"})


async def _load(port: int, url: str, connections: int, seconds: float, seed: int) -> None:
    """Each connection has its own requests: a member and a thing drawn by chance for each."""
    random = Random(seed)  # noqa: S311  a draw that can be repeated
    requests = [
        [
            post(
                url,
                _token(random.randrange(CLICKERS)),
                json.dumps({"thing": 1 + random.randrange(PLAN.things)}).encode(),
            )
            for _ in range(REQUESTS_A_CONNECTION)
        ]
        for _ in range(connections)
    ]
    say(asdict(await press(port, requests, seconds)))


def _token(clicker: int) -> str:
    return f"flattr_bench{clicker:06d}"


def _member(clicker: int) -> int:
    return PLAN.creators + 1 + clicker


def main() -> None:
    """Run one step, named by argv."""
    step, *words = sys.argv[1:]
    if step == "prepare":
        say(asyncio.run(_prepare(words[0], int(words[1]))))
    elif step == "fold":
        say(asyncio.run(_fold(words[0])))
    elif step == "serve":
        uvloop.run(_serve(words[0], SharedPort.of(*words[1:]) if words[1:] else None))
    else:
        port, name, connections, seconds, seed = words
        load = _load(int(port), URLS[name], int(connections), float(seconds), int(seed))  # type: ignore[index]  # the parent says one of them
        uvloop.run(load)


if __name__ == "__main__":
    main()
