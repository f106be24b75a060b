"""Calls of the outside world into a node, which may be down, die, or lose its caller meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.exc import DBAPIError

from node import failpoints
from node.errors import ConfigError, CorruptBooks, NodeError
from node.flows.node import Node
from tests.crash.lightning.host import Host
from tests.crash.lightning.scene import Scene
from tests.crash.process import Killed

Work = Callable[[Node], Coroutine[Any, Any, Any]]
LONGEST_S: Final = 4 * 3600.0
"""A call that has not ended by then hangs, which is a breach."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a call: a value, or in words why there is none."""

    value: Any = None
    failed: str = ""


async def call(scene: Scene, host: Host, words: str, work: Work) -> Answer:
    """Ask a node for something; it is started first if it is down."""
    node = await up(scene, host)
    process = host.process
    if process is None or not process.alive:
        return Answer(failed="down")
    failpoints.arm(scene.weather.failpoint())
    task = process.start(work(node), words)
    if scene.weather.strikes("cancel", 0.5):
        await process.wait_for(task, scene.random.choice((0.0, 0.002, 0.05, 1.0)))
        task.cancel()
    await process.wait_for(task, LONGEST_S)
    if not process.alive:
        _note_death(scene, process.killed_by)
        answer = Answer(failed="killed")
    elif not task.done():
        scene.breaches.append(f"waits: {words} on {host.name} never ends")
        answer = Answer(failed="hangs")
    else:
        answer = _answer(scene, words, task)
    scene.say(f"{host.name}: {words}: {answer.failed or 'done'}")
    return answer


async def up(scene: Scene, host: Host) -> Node:
    """The node of this machine, started if it is down."""
    async with host.booting:
        if not host.up or host.node is None:
            failpoints.arm({})
            node = await host.boot()
            scene.say(f"{host.name}: started, boot {host.boots}")
            return node
        return host.node


def _note_death(scene: Scene, killed_by: str) -> None:
    if killed_by.startswith("failpoint "):
        scene.weather.hit(killed_by.removeprefix("failpoint "))
    failpoints.arm({})


def _answer(scene: Scene, words: str, task: asyncio.Task[Any]) -> Answer:
    if task.cancelled():
        return Answer(failed="cancelled")
    error = task.exception()
    match error:
        case None:
            return Answer(task.result())
        case CorruptBooks() | ConfigError():
            scene.breaches.append(f"books: {words}: {error}")
        case NodeError() | DBAPIError() | Killed():
            pass
        case _:
            scene.breaches.append(f"fault: {words}: {error!r}")
    return Answer(failed=type(error).__name__)
