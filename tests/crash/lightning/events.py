"""What happens to lnd and to machines by themselves: restarts, another lnd, clocks that jump."""

from __future__ import annotations

import asyncio
from typing import Final

from node.wallet.lightning.stubs import lightning_pb2 as ln
from tests.crash.lightning.network import NODE, OTHER
from tests.crash.lightning.scene import Scene
from tests.crash.lightning.weather import EVENTS

LASTS_S: Final = (0.5, 8.0, 60.0, 900.0)
JUMPS_S: Final = (4.0, 40.0, 150.0, 1800.0)
SMALL_JUMP_S: Final = 4.0


async def events(scene: Scene) -> None:
    """Some minutes in which the drawn events may happen, each in its turn."""
    for kind in EVENTS:
        await asyncio.sleep(scene.random.choice((0.01, 0.5, 3.0, 30.0)))
        if scene.weather.strikes(kind):
            scene.say(f"event: {kind}")
            await _happen(scene, kind, scene.random.choice(LASTS_S))


async def _happen(scene: Scene, kind: str, lasts_s: float) -> None:
    faults = scene.weather.payments
    match kind:
        case "lnd_restart":
            restart(scene)
            await _while(scene, faults.unreachable, lasts_s)
            await _while(scene, faults.starting, scene.random.choice((0.0, 5.0)))
        case "lnd_locked":
            await _while(scene, faults.locked, lasts_s)
        case "lnd_starting":
            await _while(scene, faults.starting, lasts_s)
        case "lnd_unsynced":
            await _while(scene, faults.unsynced, lasts_s)
        case "lnd_other":
            await visit(scene, OTHER)
            await asyncio.sleep(lasts_s)
            await visit(scene, NODE)
        case "clock_jump":
            host = scene.random.choice(scene.hosts)
            # The 30 s between two reads of a FAILED are the node's own: lnd's flapping is shorter.
            flaps = "flapping" in scene.weather.chances
            host.clock.ahead_s += SMALL_JUMP_S if flaps else scene.random.choice(JUMPS_S)


async def _while(scene: Scene, nodes: set[str], lasts_s: float) -> None:
    name = scene.place.lnd.node.name
    nodes.add(name)
    await asyncio.sleep(lasts_s)
    nodes.discard(name)


async def visit(scene: Scene, name: str) -> None:
    """Another lnd answers at the node's address from now on."""
    if scene.place.lnd.node.name != name:
        scene.place.lnd.hang_up()
        scene.place.lnd = scene.lnds[name]
        await asyncio.sleep(0)


def restart(scene: Scene) -> None:
    """Kill lnd: what has no HTLC yet stays in flight for ever (a phantom), as lnd 0.21.1 does."""
    lnd, world = scene.place.lnd, scene.network.world
    lnd.hang_up()
    running = {task.get_name(): task for task in world.tasks}
    for payment_hash, payment in lnd.node.payments.items():
        task = running.get(f"pay {payment_hash.hex()[:8]}")
        if task is not None and not payment.locked_msat:
            task.cancel()
            scene.say(f"phantom: {payment_hash.hex()[:8]}")


def release_held(scene: Scene, *, every: bool) -> None:
    """Receivers settle, or refuse, what they have held; `every`: all of it, now."""
    for node in scene.network.world.nodes.values():
        for payment in node.payments.values():
            if not payment.locked_msat or payment.verdict.is_set():
                continue
            if every or scene.random.random() < 0.3:
                payment.preimage_refused = scene.random.random() < 0.4
                payment.verdict.set()


def phantoms(scene: Scene) -> set[str]:
    """Hashes of payments that will never end: in flight, with nothing on any channel."""
    return {
        payment_hash.hex()
        for node in scene.network.world.nodes.values()
        for payment_hash, payment in node.payments.items()
        if payment.status == ln.Payment.IN_FLIGHT and not payment.locked_msat
    }
