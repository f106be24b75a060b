"""One writer of clicks for several web processes: their groups come over a Unix socket.

    web process   ClickSocketWriter  ──▶  the socket  ──▶  open_click_server   the writing process
                                     ◀── the month, when it is on disk

SQLite is written by one connection at a time. Processes that take turns at its lock spend their
time in waiting for it; one that writes for all of them makes one commit out of what came meanwhile.

    ask      length of clicks (32 bits, little-endian), length of keys, clicks, keys
    answer   the month's ordinal (32 bits), or 0: it was not written

The bytes are those of a row of the inbox (`inbox.py`). Whoever can open the socket can click for
everybody: it must lie in a folder of the node's own user. An answer that got lost with the writing
process says nothing: who clicked is told to try again, and flattring twice is flattring once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from typing import Final

import structlog

from node.errors import Busy
from node.month import Month
from node.store.click_writer import ClickWriter, SqliteWriter
from node.store.inbox import ClickRow, PackedGroup, clicks_in, pack_group

GROUP_BYTES_MAX: Final = 1 << 24
"""More than a web process lets wait (`flows/flattr.WAITING_MAX`)."""
_ASK: Final = Struct("<II")
_ANSWER: Final = Struct("<I")

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ClickSocket:
    """Where the socket is, and on which side of it this process stands."""

    path: Path
    writes: bool
    """True: this process writes for the others. False: another one writes for it."""


@asynccontextmanager
async def open_click_server(
    path: Path, writer: SqliteWriter, written: Callable[[int], None]
) -> AsyncIterator[None]:
    """Write for other processes until the block ends; `written` is told how many clicks."""
    lines: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "asyncio runs this in a task"
        lines.add(task)
        try:
            await _serve(reader, answers, writer, written)
        finally:
            lines.discard(task)
            answers.close()

    server = await asyncio.start_unix_server(serve, path)
    try:
        yield
    finally:
        server.close()
        for line in lines:
            line.cancel()
        await asyncio.gather(*lines, return_exceptions=True)


class ClickSocketWriter:
    """A ClickWriter whose groups another process writes. Connects when it first writes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._line: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def commit(self, clicks: Sequence[ClickRow]) -> Month:
        """Have the clicks written; the month that they are in. Raises OSError, EOFError, Busy."""
        try:
            return await self._ask(pack_group(clicks))
        except BaseException:
            self.close()  # what else comes on this line would be the answer to another question
            raise

    async def _ask(self, group: PackedGroup) -> Month:
        if self._line is None:
            self._line = await asyncio.open_unix_connection(self._path)
        reader, writer = self._line
        packed, keys = group
        writer.write(_ASK.pack(len(packed), len(keys or b"")) + packed + (keys or b""))
        await writer.drain()
        (ordinal,) = _ANSWER.unpack(await reader.readexactly(_ANSWER.size))
        if not ordinal:
            raise Busy("the writing process could not write the clicks")
        return Month.from_ordinal(ordinal)

    def close(self) -> None:
        """Hang up."""
        if self._line is not None:
            self._line[1].close()
            self._line = None


@asynccontextmanager
async def open_socket_writer(path: Path) -> AsyncIterator[list[ClickWriter]]:
    """The writers of a web process that does not write itself."""
    writer = ClickSocketWriter(path)
    try:
        yield [writer]
    finally:
        writer.close()


async def _serve(
    reader: asyncio.StreamReader,
    answers: asyncio.StreamWriter,
    writer: SqliteWriter,
    written: Callable[[int], None],
) -> None:
    """Answer one process's groups, in order, until it hangs up."""
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            packed, keys = _ASK.unpack(await reader.readexactly(_ASK.size))
            if packed + keys > GROUP_BYTES_MAX:
                _log.error("a group of clicks is too long", bytes=packed + keys)
                return
            clicks = await reader.readexactly(packed)
            group = (clicks, await reader.readexactly(keys) if keys else None)
            answers.write(_ANSWER.pack(await _write(writer, group, written)))
            await answers.drain()


async def _write(writer: SqliteWriter, group: PackedGroup, written: Callable[[int], None]) -> int:
    try:
        month = await writer.commit_packed(group)
    except Exception as error:  # noqa: BLE001  whatever it was, nothing is acknowledged
        _log.error("clicks could not be written", clicks=clicks_in(group), error=str(error))
        return 0
    written(clicks_in(group))
    return month.ordinal
