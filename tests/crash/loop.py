"""An event loop whose time jumps to the next timer when nothing is left to do: waiting is free.

It has no selector, no sockets and no threads, so that a run is the same each time: work for an
executor is done at once, and a loop that waits for nothing at all is an error, not a hang.
"""

from __future__ import annotations

import asyncio
import random
import signal
import sqlite3
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar
from unittest.mock import patch

T = TypeVar("T")
BUSY_AGAIN_S: Final = 0.02
BUSY_TRIES: Final = 500
"""Ten seconds in all, as the node's own patience."""


class Deadlock(Exception):
    """Every task waits, and no timer is set."""


class SeedStuck(BaseException):
    """A seed took too much time; no handler of the node may mistake it for a fault."""


class _Nothing:
    """A selector that selects nothing, and moves the loop's time instead."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None:
            names = sorted(task.get_name() for task in asyncio.all_tasks(self._loop))
            raise Deadlock(f"all wait for nothing: {names}")
        if timeout > 0:
            self._loop.jump()
        return []


class VirtualLoop(asyncio.BaseEventLoop):
    """Time begins at 0 and is counted in seconds."""

    def __init__(self) -> None:
        super().__init__()
        self._at_s = 0.0
        self._selector = _Nothing(self)
        self.unhandled: list[dict[str, Any]] = []
        self.set_exception_handler(lambda _, context: self.unhandled.append(context))

    def time(self) -> float:
        """Seconds since the loop began."""
        return self._at_s

    def jump(self) -> None:
        """Go to the next timer."""
        self._at_s = max(self._at_s, self._scheduled[0]._when)

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> Any:
        """Do it now, in this thread; a database that is locked is tried again, later."""
        del executor
        return self.create_task(self._now(func, args), name="executor")

    async def _now(self, func: Callable[..., T], args: tuple[Any, ...]) -> T:
        for _ in range(BUSY_TRIES):
            try:
                return func(*args)
            except sqlite3.OperationalError as error:
                if "locked" not in str(error):
                    raise
            await asyncio.sleep(BUSY_AGAIN_S)
        raise sqlite3.OperationalError("database is locked")

    def _asyncgen_finalizer_hook(self, agen: Any) -> None:
        """What a killed process left open is not closed by anybody."""

    def _process_events(self, events: list[Any]) -> None:
        assert not events, "there is no selector that could have any"

    def _write_to_self(self) -> None:
        """Nobody else runs who would have to be woken."""


def run_virtual(work: Coroutine[Any, Any, T], *, cpu_s_max: float = 60.0) -> T:
    """Run a coroutine to its end on a virtual loop.

    Raises SeedStuck after so much time of the processor, which others may share.
    """
    loop = VirtualLoop()
    with _alarm(cpu_s_max):
        try:
            return loop.run_until_complete(work)
        finally:
            _end(loop)


def _end(loop: VirtualLoop) -> None:
    tasks = sorted(asyncio.all_tasks(loop), key=lambda task: task.get_name())
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks, timeout=60))
    loop.close()


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    def stuck(*_: object) -> None:
        raise SeedStuck(f"no end within {seconds} s of processor time")

    before = signal.signal(signal.SIGPROF, stuck)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@contextmanager
def seeded_secrets(seed: int) -> Iterator[None]:
    """What the node draws as a secret comes from the seed: `secrets`, `uuid` and `os.urandom`."""
    drawn = random.Random(f"secrets {seed}")
    with patch("random._urandom", drawn.randbytes), patch("os.urandom", drawn.randbytes):
        yield
