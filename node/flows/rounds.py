"""Rounds by hand, on every rail that the node has: what a serving node does by itself."""

from __future__ import annotations

from collections.abc import Callable

from node.flows.node import Node
from node.flows.round_report import RoundReport
from node.flows.schedule import close_in_stablecoin


async def round_on_all_rails(node: Node, progress: Callable[[str], None]) -> RoundReport:
    """One round of each payer; in the stablecoin the close goes on as well, for it waits there.

    Raises LeaseLost, RailUnavailable, ConfigError, CorruptBooks.
    """
    reports = [await node.payer.round()]
    if (payer := node.vault_payer) is not None:
        await close_in_stablecoin(node, progress)
        reports.append(await payer.round())
    return RoundReport(
        settled=sum(one.settled for one in reports),
        refused=sum(one.refused for one in reports),
        pending=sum(one.pending for one in reports),
        sent=sum(one.sent for one in reports),
        postponed=sum(one.postponed for one in reports),
        steps=sum(one.steps for one in reports),
        words=[words for one in reports for words in one.words],
        trouble=next((one.trouble for one in reports if one.trouble), ""),
    )
