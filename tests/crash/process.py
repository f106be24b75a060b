"""Processes of the simulation: groups of tasks that can be killed as `kill -9` kills.

    process.run(work)     work and all tasks that it starts belong to the process
    process.kill()        from now on it can do nothing: its database connections are closed (which
                          undoes what was not committed) and every call of the outside world raises
    process.bury()        its tasks are cancelled and forgotten; what they do then reaches nothing

A failpoint that is hit kills the process which passes it, before anything else can happen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, TypeVar
from unittest.mock import patch

from node import failpoints

T = TypeVar("T")
ROUNDS_TO_END: Final = 50
_current: ContextVar[Process | None] = ContextVar("process", default=None)


class Killed(BaseException):
    """The process is dead; a BaseException, so that no handler of the node catches it."""


class Process:
    """One process of a node, by name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.alive = True
        self.killed_by = ""
        self.on_kill: list[Callable[[], None]] = []
        """What the kernel would do: close files, which frees locks."""
        self.tasks: dict[asyncio.Task[Any], None] = {}
        self.ended = asyncio.Event()

    def demand_alive(self) -> None:
        """Raise Killed in code of a process that is no more."""
        if not self.alive:
            raise Killed(self.name)

    def kill(self, why: str) -> None:
        """End it between two instructions."""
        if not self.alive:
            return
        self.alive, self.killed_by = False, why
        for close in self.on_kill:
            close()
        self.ended.set()

    def start(self, work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        """Begin work that belongs to the process."""
        token = _current.set(self)
        try:
            return asyncio.get_running_loop().create_task(work, name=name)
        finally:
            _current.reset(token)

    async def run(self, work: Coroutine[Any, Any, T], name: str = "work") -> T:
        """Work to its end. Raises what it raises, and Killed when the process died meanwhile."""
        task = self.start(work, name)
        await self.wait_for(task)
        if not self.alive:
            raise Killed(f"{self.name}: {self.killed_by}")
        return task.result()

    async def wait_for(self, task: asyncio.Task[Any], timeout_s: float | None = None) -> None:
        """Wait until the task is done, the process is dead, or the time is over."""
        death = asyncio.get_running_loop().create_task(self.ended.wait(), name="death")
        await asyncio.wait([task, death], timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        death.cancel()

    async def bury(self) -> None:
        """Cancel what is left of a dead process, and forget what won't end."""
        for _ in range(ROUNDS_TO_END):
            left = [task for task in self.tasks if not task.done()]
            if not left:
                break
            for task in left:
                task.cancel()
            await asyncio.sleep(0)
        for task in self.tasks:
            if task.done() and not task.cancelled():
                task.exception()
        self.tasks.clear()


def current() -> Process:
    """The process whose code runs."""
    process = _current.get()
    assert process is not None, "only a process of a node comes here"
    return process


class _Hit(failpoints.FailpointHit):
    """Kills the process that passes the failpoint."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        current().kill(f"failpoint {name}")


@contextmanager
def open_processes() -> Iterator[None]:
    """Tasks belong to the process that starts them, and failpoints kill it, within this block."""
    loop = asyncio.get_running_loop()

    def make(
        loop: asyncio.AbstractEventLoop, work: Any, context: Any = None, **more: Any
    ) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, context=context, **more)
        if (process := _current.get()) is not None:
            process.tasks[task] = None
            task.add_done_callback(lambda done: process.tasks.pop(done, None))
        return task

    before = loop.get_task_factory()
    loop.set_task_factory(make)
    try:
        with patch.object(failpoints, "FailpointHit", _Hit):
            yield
    finally:
        failpoints.arm({})
        loop.set_task_factory(before)
