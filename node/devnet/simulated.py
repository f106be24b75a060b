"""The simulated Lightning network as a process of its own, so that a killed node leaves it alive.

    python -m node.devnet.simulated --folder F --balances node=100000000,reader=5000000

It prints one JSON line when it serves,

    {"nodes": {"node": {"lndconnect": "lndconnect://…", "cert_path": …, "macaroon_path": …, …}}}

and then obeys one JSON object a line on stdin, each answered by one line: `{"ok": true}`, what was
asked for, or `{"error": "…"}`.

    {"faults": {"phantom": {"next_count": 1}}}   set switches, as `Faults.change`
    {"release": "<payment hash>"}                let a held payment settle
    {"cancel": "<payment hash>"}                 have its receiver refuse it
    {"truth": true}                              balances, arrivals and the total, in msat

It ends with SIGTERM, SIGINT, or the end of stdin, which must be a pipe or a terminal: so it never
outlives the process that holds the other end. All else goes by lnd's RPCs: a reader pays with
SendPaymentV2 at the reader's node, ListInvoices at the receiver tells what arrived.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import signal
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from node.errors import ConfigError, NodeError
from node.wallet.lightning.simulated import Faults, SimulatedNetwork, open_simulated_network

ORDERS: Final = frozenset({"faults", "release", "cancel", "truth"})
LINE_SIZE_MAX: Final = 1 << 20
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")


def parse_balances(text: str) -> dict[str, int]:
    """`node=100000,reader=5000` as msat by name. Raises ConfigError."""
    balances_msat: dict[str, int] = {}
    for part in text.split(","):
        name, _, amount = part.partition("=")
        if not NAME.fullmatch(name) or not amount.isdecimal() or name in balances_msat:
            raise ConfigError(f"{part!r} is no name=msat, or the name comes twice")
        balances_msat[name] = int(amount)
    return balances_msat


def obey(network: SimulatedNetwork, line: str) -> dict[str, Any]:
    """Carry out one line of stdin; returns the answer."""
    try:
        order = json.loads(line)
        if not isinstance(order, dict) or not order or order.keys() - ORDERS:
            return {"error": f"an order is an object with some of {sorted(ORDERS)}"}
        if "faults" in order:
            network.faults.change(order["faults"])
        if "release" in order:
            network.release(order["release"])
        if "cancel" in order:
            network.cancel(order["cancel"])
    except (NodeError, ValueError, TypeError, AttributeError) as error:
        return {"error": str(error)}
    return _truth(network) if "truth" in order else {"ok": True}


async def serve(folder: Path, balances_msat: Mapping[str, int], faults: Faults) -> None:
    """Serve until a signal comes or stdin ends."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    lines = asyncio.StreamReader(limit=LINE_SIZE_MAX)
    stdin, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with open_simulated_network(folder, balances_msat, faults=faults) as network:
        nodes = {name: asdict(each) for name, each in network.nodes.items()}
        _say({"nodes": nodes})
        orders = asyncio.create_task(_obey_all(network, lines, stop), name="stdin")
        await stop.wait()
        orders.cancel()
        await asyncio.gather(orders, return_exceptions=True)
    stdin.close()


async def _obey_all(
    network: SimulatedNetwork, lines: asyncio.StreamReader, stop: asyncio.Event
) -> None:
    try:
        while line := await lines.readline():
            _say(obey(network, line.decode(errors="replace")))
    finally:
        stop.set()


def _truth(network: SimulatedNetwork) -> dict[str, Any]:
    return {
        "total_msat": network.total_msat(),
        "fees_taken_msat": network.fees_taken_msat,
        "balances_msat": {name: network.balance_msat(name) for name in network.nodes},
        "settled": {name: network.settled(name) for name in network.nodes},
    }


def _say(answer: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer, default=str) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Read argv and serve."""
    parser = argparse.ArgumentParser(prog="python -m node.devnet.simulated")
    parser.add_argument("--folder", type=Path, required=True, help="for certificates and macaroons")
    parser.add_argument("--balances", required=True, help="name=msat,…")
    parser.add_argument("--faults", default="{}", help="JSON, as on stdin")
    arguments = parser.parse_args()
    faults = Faults()
    try:
        faults.change(json.loads(arguments.faults))
        balances_msat = parse_balances(arguments.balances)
    except (ConfigError, ValueError) as error:
        parser.error(str(error))
    asyncio.run(serve(arguments.folder, balances_msat, faults))


if __name__ == "__main__":
    main()
