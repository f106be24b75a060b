"""SQLite's one writer, shared: transactions that wait for it at the same time share a commit.

    a block runs alone, on one connection        first in the group: BEGIN IMMEDIATE
    others wait for their turn                   the next one goes on in a savepoint
    nobody waits any more, or GROUP_MAX          COMMIT; everybody's `write` ends

A commit waits for the disk, and that is most of what a small transaction costs. A block that fails
is undone alone. What a block wrote is told to its caller only when the commit is done, and a commit
that fails is told to all. There is no timer: a lone block is committed at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, TypeVar

from node.store.sqlite import Driver, connect

GROUP_MAX: Final = 8
"""Blocks that share a commit: the click writer, on a connection of its own, waits for them."""


T = TypeVar("T")


class _Group:
    """A transaction under way, and the future that its blocks wait for.

    `turn`: the driver of the block whose turn it is. Its last statements go where its others went,
    so that they come after one that a cancelled block has left behind.
    """

    __slots__ = ("blocks", "done", "driver", "turn")

    def __init__(self, driver: Driver) -> None:
        self.driver = self.turn = driver
        self.blocks = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class Writer:
    """Takes blocks one by one, on one connection to the database at `path`."""

    def __init__(self, path: str, columns: dict[str, tuple[str, ...]]) -> None:
        self._path = path
        self._columns = columns
        self._turn = asyncio.Lock()
        self._queued = 0
        self._group: _Group | None = None
        self._idle: Driver | None = None
        """Of the connection, from one group to the next."""
        self._tasks: set[asyncio.Task[Any]] = set()

    @asynccontextmanager
    async def write(self, *, short: bool) -> AsyncIterator[Driver]:
        """A block that is on disk when this ends, and undone if it raises. `short`: see Driver."""
        group = await self._enter(short=short)
        kept = False
        try:
            yield group.turn
            kept = True
        finally:
            # In a task of its own: a caller that is cancelled must not leave the writer taken.
            await asyncio.shield(self._in_task(self._leave(group, kept=kept)))
        await asyncio.shield(group.done)

    async def _enter(self, *, short: bool) -> _Group:
        self._queued += 1
        try:
            await self._turn.acquire()
        except asyncio.CancelledError:
            self._queued -= 1
            if not self._queued and self._group is not None and not self._turn.locked():
                _ = self._in_task(self._commit_what_is_left())
            raise
        self._queued -= 1
        joining = self._in_task(self._join(short=short))
        try:
            return await asyncio.shield(joining)
        except asyncio.CancelledError:
            _ = self._in_task(self._give_back(joining))
            raise

    async def _join(self, *, short: bool) -> _Group:
        """Go on with the group that is under way, or begin one; the turn is ours."""
        try:
            begins = self._group is None
            if self._group is None:
                self._group = await self._begin()
            self._group.turn = self._group.driver.short() if short else self._group.driver
            if not begins:
                await self._group.turn.run("SAVEPOINT block", ())
        except BaseException as error:
            try:
                if self._group is not None:
                    await self._end(self._group, because=error)
            finally:
                self._turn.release()
            raise
        self._group.blocks += 1
        return self._group

    async def _begin(self) -> _Group:
        driver, self._idle = self._idle, None
        if driver is None:
            driver = Driver(await connect(self._path), self._columns)
        try:
            await driver.begin()
        except BaseException:
            await driver.close()
            raise
        return _Group(driver)

    async def _give_back(self, joining: asyncio.Task[_Group]) -> None:
        """Who had the turn was cancelled before the block began."""
        with suppress(Exception):  # then it was given back already
            await self._leave(await joining, kept=False)

    async def _leave(self, group: _Group, *, kept: bool) -> None:
        """End a block, and the group with it if nobody is to go on."""
        try:
            if not kept and group.blocks == 1:
                await self._end(group, because=ValueError("its only block has failed"))
                return
            if not kept:
                await group.turn.run("ROLLBACK TO block", ())
            if group.blocks > 1:
                await group.turn.run("RELEASE block", ())
            if not self._queued or group.blocks >= GROUP_MAX:
                await self._end(group)
        except Exception as error:  # noqa: BLE001  told to all: a full disk undoes the whole group
            await self._end(group, because=error)
        finally:
            self._turn.release()

    async def _commit_what_is_left(self) -> None:
        """Who was to go on with the group has gone away."""
        async with self._turn:
            if self._group is not None:
                await self._end(self._group)

    async def finish(self) -> None:
        """Wait for what is under way, and close the connection."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._idle is not None:
            await self._idle.close()
            self._idle = None

    async def _end(self, group: _Group, *, because: BaseException | None = None) -> None:
        """Commit the group, or undo it `because`; tell everybody whose block was in it."""
        self._group = None
        if group.done.done():
            return
        failed = because
        try:
            if failed is None:
                await group.driver.commit()
            else:
                await group.driver.rollback()
            self._idle = group.driver
        except Exception as error:  # noqa: BLE001  told to everybody whose block was in the group
            failed = failed or error
        if failed is None:
            group.done.set_result(None)
        else:
            told = failed if isinstance(failed, Exception) else RuntimeError("it was cut short")
            group.done.set_exception(told)
            group.done.exception()  # marked as seen: all of them may have gone away
        if self._idle is None:
            await group.driver.close()  # who knows what it still holds

    def _in_task(self, work: Coroutine[None, None, T]) -> asyncio.Task[T]:
        """Work that goes on when its caller is cancelled."""
        task = asyncio.create_task(work, name="a block's begin or end")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
