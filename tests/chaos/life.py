"""One life of the node in a process of its own, as the rig has it: started, given orders, killed.

    rig ──▶ Life ── one order, one answer ──▶ desk.py in the process
             └── Died: it was killed before it answered

The process is forked from a server that has imported everything, so a start costs a tenth of a
second and the opening of the node.
"""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

from node.errors import RailUnavailable
from tests.chaos import desk

ANSWER_S: Final = 150

_SERVER: Final = get_context("forkserver")


class Died(Exception):
    """The node died before it answered."""


class Life:
    """One life. `ahead_s`: how far its clock is ahead of the machine's."""

    def __init__(self, folder: Path, ahead_s: int = 0) -> None:
        _SERVER.set_forkserver_preload([desk.__name__])
        self.ahead_s = ahead_s
        self._connection, theirs = _SERVER.Pipe()
        self._process = _SERVER.Process(
            target=desk.main, args=(folder, theirs, ahead_s), daemon=True
        )
        self._process.start()
        theirs.close()
        self._turn = asyncio.Lock()

    async def begin(self) -> str | None:
        """Wait until it is up; why it sends nothing, if so. Raises RailUnavailable, Died."""
        return await self._answer()

    async def tell(self, do: str, **words: Any) -> Any:
        """Give an order; its answer. Raises Died, RailUnavailable."""
        async with self._turn:
            try:
                self._connection.send({"do": do, **words})
            except OSError as error:
                raise Died(do) from error
            return await self._answer()

    async def attempt(self, do: str, **words: Any) -> Any:
        """Give an order that it may die of, or not be able to do: then None."""
        with suppress(Died, RailUnavailable):
            return await self.tell(do, **words)

    def kill(self) -> None:
        """SIGKILL; it is gone when this returns."""
        self._process.kill()
        self._process.join()

    def pause(self) -> None:
        """SIGSTOP."""
        assert self._process.pid is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        assert self._process.pid is not None
        os.kill(self._process.pid, signal.SIGCONT)

    async def _answer(self) -> Any:
        try:
            async with asyncio.timeout(ANSWER_S):
                answer = await asyncio.to_thread(self._connection.recv)
        except TimeoutError as error:
            raise AssertionError(f"the node does not answer within {ANSWER_S} s") from error
        except (EOFError, OSError) as error:
            raise Died("it died") from error
        if "away" in answer:
            raise RailUnavailable(answer["away"])
        if "error" in answer:
            raise AssertionError(answer["error"])
        return answer["ok"]
