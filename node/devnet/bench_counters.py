"""What other sites ask for, over HTTP: counters and badges against the same server doing nothing.

    serve   one process: the whole node on SQLite and a simulated lnd, with GET /noop beside
    load    another process: connections that ask for things drawn by chance, one after another

Every thing has been asked for once before it counts, as on a site that people read: what is
measured is the answer that is kept for a minute. When its minute is over, a request goes to the
database, with all that do so at the same time.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Final, Literal, TypeAlias, get_args
from urllib.parse import urlencode

import uvloop
from aiohttp import web

from node import log
from node.app import open_node
from node.clock import SystemClock
from node.config import LndSettings, Settings, WebSettings
from node.devnet.bench_child import median, open_child, run_child, say
from node.devnet.bench_load import LoadFigures, press
from node.flows import claim
from node.wallet.lightning.simulated import open_simulated_network
from node.web.server import open_server

Name: TypeAlias = Literal["noop", "count", "count of a URL", "badge", "badge of a URL"]
THINGS: Final = 200
REQUESTS_A_CONNECTION: Final = 200
_MODULE: Final = "bench_counters"
_WARM_S: Final = 1.0
_NOTHING: Final = b'{"thing":1,"flattrs":0,"flattrs_this_month":0,"network":"simnet"}'


@dataclass(frozen=True, slots=True)
class CounterFigures:
    """One URL: medians over the rounds. `of_noop`: over the no-op of the same round."""

    name: Name
    per_s: float
    of_noop: float
    p50_ms: float
    p99_ms: float


async def bench_counters(
    connections: int, seconds: float, rounds: int, tell: Callable[[str], None]
) -> list[CounterFigures]:
    """Measure each URL, the no-op first. Raises DaemonError."""
    names: tuple[Name, ...] = get_args(Name)
    found: dict[Name, list[LoadFigures]] = {name: [] for name in names}
    async with open_child(_MODULE, "serve") as told:

        async def ask(name: Name, lasts_s: float) -> LoadFigures:
            words = (told["port"], name, connections, lasts_s)
            return LoadFigures(**await run_child(_MODULE, "load", *words))

        for name in names:
            await ask(name, _WARM_S)  # the answers are kept from here on
        for number in range(rounds):
            for name in names:
                found[name].append(await ask(name, seconds))
            rates = ", ".join(f"{name} {some[-1].per_s:,.0f}/s" for name, some in found.items())
            tell(f"round {number + 1} of {rounds}: {rates}")
    return [_figures(name, found[name], found["noop"]) for name in names]


def _figures(name: Name, found: list[LoadFigures], noop: list[LoadFigures]) -> CounterFigures:
    pairs = zip(found, noop, strict=True)
    return CounterFigures(
        name, median([one.per_s for one in found]),
        median([one.per_s / nothing.per_s for one, nothing in pairs]),
        median([one.p50_ms for one in found]), median([one.p99_ms for one in found]),
    )  # fmt: skip


async def _serve() -> None:
    log.set_up()
    with tempfile.TemporaryDirectory(prefix="flattr-bench-") as text:
        folder = Path(text)
        async with open_simulated_network(folder / "net", {"node": 0}) as network:
            lnd = LndSettings(lndconnect=network.nodes["node"].lndconnect)
            limits = WebSettings(port=0, requests_per_minute=10**9, connections_per_address=10**4)
            async with (
                open_node(Settings(lnd=lnd, web=limits), folder, SystemClock()) as node,
                open_server(node, [web.get("/noop", _noop)]) as server,
            ):
                for number in range(THINGS):
                    await claim.add_thing(node.store, node.clock, _url(number), "A thing")
                say({"port": int(server.url.rpartition(":")[2])})
                await asyncio.to_thread(sys.stdin.read)  # until the parent closes it


async def _noop(request: web.Request) -> web.Response:
    del request
    return web.Response(body=_NOTHING, headers={"Content-Type": "application/json"})


async def _load(port: int, name: str, connections: int, seconds: float) -> None:
    random = Random(name)  # noqa: S311  a draw that can be repeated
    requests = [
        [_get(name, random.randrange(THINGS)) for _ in range(REQUESTS_A_CONNECTION)]
        for _ in range(connections)
    ]
    say(asdict(await press(port, requests, seconds)))


def _get(name: str, number: int) -> bytes:
    asked = urlencode({"url": _url(number)})
    path = {
        "noop": "/noop",
        "count": f"/api/v1/public/things/{number + 1}/count",
        "count of a URL": f"/api/v1/public/count?{asked}",
        "badge": f"/badge/{number + 1}.svg",
        "badge of a URL": f"/badge.svg?{asked}",
    }[name]
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


def _url(number: int) -> str:
    return f"https://blog.example/posts/{number}"


def main() -> None:
    """Run one step, named by argv."""
    step, *words = sys.argv[1:]
    if step == "serve":
        uvloop.run(_serve())
    else:
        port, name, connections, seconds = words
        uvloop.run(_load(int(port), name, int(connections), float(seconds)))


if __name__ == "__main__":
    main()
