"""Is the process alive, and is the node ready? `/readyz` asks each part, and says so in words.

    database    a read, the newest clicks    lightning   GetInfo: reached, synced, which network
    books       the rail's breaker           tasks       what the schedule last reported
    stablecoin  the breaker of the second rail, on a node that has it

LND is asked at most once in five seconds, however often we are. What is said here is public, so
a breach of the books is said without its rows: those are in the operator's log and `audit`.
"""

from __future__ import annotations

from typing import Final

from node.flows.ready import database_trouble, rail_stopped
from node.flows.vault.stablecoin import RAIL
from node.web.endpoint import Call
from node.web.keys import Desk
from node.web.models.health import AliveOut, PartOut, ReadyOut

_WORDS_MAX: Final = 200
_BOOKS: Final = "the books are not clean: paying has stopped, and the operator must look"


async def read_alive(call: Call) -> AliveOut:
    """GET /healthz."""
    del call
    return AliveOut(alive=True)


async def read_ready(call: Call) -> ReadyOut:
    """GET /readyz."""
    node = call.node
    trouble = await database_trouble(node.store)
    parts = {"database": _part(trouble or node.clicks.trouble, "it answers")}
    parts["lightning"] = await _lightning(call.desk)
    if not trouble:
        stopped = await rail_stopped(node.store, node.rail.name)
        parts["books"] = _part(_without_rows(stopped or ""), "paying is not stopped")
    if not trouble and node.stablecoin:
        stopped = await rail_stopped(node.store, RAIL)
        fine = f"the vault on {node.stablecoin.network}: paying is not stopped"
        parts["stablecoin"] = _part(_without_rows(stopped or ""), fine)
    troubles = "; ".join(
        f"{name}: {_without_rows(words)}" for name, words in sorted(node.health.troubles.items())
    )
    parts["tasks"] = _part(troubles[:_WORDS_MAX], "no task reports trouble")
    ready = all(part.good for part in parts.values())
    return ReadyOut(ready=ready, network=node.settings.network, parts=parts)


async def _lightning(desk: Desk) -> PartOut:
    seen = await desk.lightning.look()
    if seen.node is None:
        return PartOut(good=False, words=seen.trouble[:_WORDS_MAX])
    what = "SIMULATED: no real payment is made" if seen.simulated else seen.name
    if not seen.node.synced_to_chain:
        return PartOut(good=False, words=f"{what}; it is not synced to the chain yet")
    return PartOut(good=True, words=f"{what}; it answers, on {seen.node.network}")


def _part(trouble: str, fine: str) -> PartOut:
    return PartOut(good=not trouble, words=trouble or fine)


def _without_rows(words: str) -> str:
    return _BOOKS if words.startswith("the books") else words[:_WORDS_MAX]
