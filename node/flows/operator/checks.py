"""What `doctor` looks at, from inside of a running node: each part good or bad, with the fix."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from node.flows.diagnose import (
    Finding,
    bad,
    channel_findings,
    good,
    lnd_findings,
    operator_finding,
    place_findings,
    store_findings,
)
from node.flows.node import Node
from node.flows.vault.diagnose import stablecoin_findings
from node.wallet.stablecoin.networks import chain_network

LOOK_S: Final = 15
"""How long a part may take; the parts are asked side by side."""
_LOG: Final = "see the node's log; the task is tried again by itself"


async def look(node: Node, folder: Path, secret_files: tuple[Path, ...]) -> list[Finding]:
    """All findings, those that are bad first. Asks lnd, the chain and the operator's address."""
    settings = node.settings
    parts = {
        "database": store_findings(node.store),
        "lnd": lnd_findings(node.lnd, settings, node.clock),
        "channels": channel_findings(node.lnd, node.store),
        "operator": _operator(node),
    }
    if (coin := node.stablecoin) is not None:
        network = chain_network(coin.network)
        parts["chain"] = stablecoin_findings(coin.money, network, settings, coin.signer)
    found = place_findings(settings, folder, secret_files)
    for some in await asyncio.gather(*(_part(name, part) for name, part in parts.items())):
        found += some
    found.append(_tasks(node.health.troubles))
    return sorted(found, key=lambda one: one.good)


async def _part(name: str, findings: AsyncIterator[Finding]) -> list[Finding]:
    """What one part says of itself, as far as it does in time."""
    found: list[Finding] = []
    try:
        async with asyncio.timeout(LOOK_S):
            async for one in findings:
                found.append(one)  # noqa: PERF401  what was said stays when the rest is late
    except TimeoutError:
        words = f"no answer within {LOOK_S} s"
        found.append(bad(name, words, "look again; flattr-node doctor waits longer"))
    return found


async def _operator(node: Node) -> AsyncIterator[Finding]:
    yield await operator_finding(node.settings, node.fetcher)


def _tasks(troubles: dict[str, str]) -> Finding:
    if not troubles:
        return good("tasks", "no task reports trouble")
    words = "; ".join(f"{name}: {trouble}" for name, trouble in sorted(troubles.items()))
    return bad("tasks", words, _LOG)
