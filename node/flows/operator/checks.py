"""What `doctor` looks at, from inside of a running node: each part good or bad, with the fix."""

from __future__ import annotations

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

_LOG: Final = "see the node's log; the task is tried again by itself"


async def look(node: Node, folder: Path, secret_files: tuple[Path, ...]) -> list[Finding]:
    """All findings, those that are bad first. Asks lnd, the chain and the operator's address."""
    settings = node.settings
    found = place_findings(settings, folder, secret_files)
    found += [one async for one in store_findings(node.store)]
    found += [one async for one in lnd_findings(node.lnd, settings, node.clock)]
    found += [one async for one in channel_findings(node.lnd, node.store)]
    found.append(await operator_finding(settings, node.fetcher))
    if (coin := node.stablecoin) is not None:
        network = chain_network(coin.network)
        found += [
            one async for one in stablecoin_findings(coin.money, network, settings, coin.signer)
        ]
    found.append(_tasks(node.health.troubles))
    return sorted(found, key=lambda one: one.good)


def _tasks(troubles: dict[str, str]) -> Finding:
    if not troubles:
        return good("tasks", "no task reports trouble")
    words = "; ".join(f"{name}: {trouble}" for name, trouble in sorted(troubles.items()))
    return bad("tasks", words, _LOG)
