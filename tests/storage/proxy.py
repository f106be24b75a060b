"""A way to Postgres that breaks in the middle of a commit: a TCP proxy that reads the protocol.

    before   the COMMIT is not passed on, and both ends are cut: it was not done
    after    the COMMIT is done, and its answer is thrown away
    during   the COMMIT is passed on, and both ends are cut at once: nobody can know

A transaction is known by what it has written: the tables of its statements, in order. The click
writer's statement is its own transaction: it is cut in the same three ways.

The protocol: https://www.postgresql.org/docs/current/protocol-message-formats.html
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from struct import unpack
from typing import Final, Literal

Where = Literal["before", "during", "after"]
WAYS: Final[tuple[Where, ...]] = ("before", "during", "after")
CLICKS: Final = "write_clicks"
_WRITTEN: Final = re.compile(r"(INSERT INTO|UPDATE|DELETE FROM|COPY) \"?(\w+)")
_READ_BYTES: Final = 65_536
_HEADER_BYTES: Final = 5
_LATER: Final = b"EHS"
"""Messages that may come behind a Bind and end it: Execute, Flush, Sync."""

Judge = Callable[[str], Where | None]
"""Told what a transaction has written, just before its commit: whether to cut it, and where."""


@dataclass
class Proxy:
    """Where it listens, and whom it asks. `commits`: what each transaction wrote, in order."""

    target_port: int
    port: int = 0
    judge: Judge = lambda _: None
    swallows: bool = False
    """As a network that is broken without a word: nothing arrives, and nothing is closed."""
    commits: list[str] = field(default_factory=list)
    cut: list[tuple[str, Where]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a node."""
        try:
            theirs = await asyncio.open_connection("127.0.0.1", self.target_port)
        except OSError:
            writer.transport.abort()
            return
        wire = _Wire(self, writer, theirs[1])
        tasks = [
            asyncio.create_task(wire.outwards(reader), name="to postgres"),
            asyncio.create_task(wire.homewards(theirs[0]), name="from postgres"),
        ]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        wire.break_off()

    def ask(self, written: str) -> Where | None:
        """Whether to cut a transaction, which is noted."""
        self.commits.append(written)
        where = self.judge(written)
        if where is not None:
            self.cut.append((written, where))
        return where


class _Wire:
    """Both directions of one connection."""

    def __init__(
        self, proxy: Proxy, node: asyncio.StreamWriter, postgres: asyncio.StreamWriter
    ) -> None:
        self._proxy = proxy
        self._node = node
        self._postgres = postgres
        self._statements: dict[bytes, str] = {}
        self._written: list[str] = []
        self._deaf = False

    def break_off(self) -> None:
        """Cut both ends, as a cable that is pulled does."""
        for writer in (self._node, self._postgres):
            writer.transport.abort()

    async def homewards(self, reader: asyncio.StreamReader) -> None:
        """What Postgres says; nothing of it once the answer to a commit is to be lost."""
        while data := await reader.read(_READ_BYTES):
            if self._deaf:
                return
            if self._proxy.swallows:
                continue
            self._node.write(data)
            await self._node.drain()

    async def outwards(self, reader: asyncio.StreamReader) -> None:
        """What the node says, message by message."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await self._pass_start(reader)
            while True:
                header = await reader.readexactly(_HEADER_BYTES)
                (length,) = unpack("!i", header[1:])
                body = await reader.readexactly(length - 4)
                where = self._where(header[:1], body)
                if where == "before":
                    return
                self._deaf = where == "after"
                self._postgres.write(header + body)
                if where is not None and header[:1] != b"Q":
                    await self._pass_rest(reader)
                await self._postgres.drain()
                if where is not None:
                    await self._end(where)
                    return

    async def _pass_start(self, reader: asyncio.StreamReader) -> None:
        """The first message, which has no type; asyncpg first asks for SSL, in eight bytes."""
        while True:
            header = await reader.readexactly(8)
            length, code = unpack("!ii", header)
            self._postgres.write(header + await reader.readexactly(length - 8))
            if code >> 16 == 3:
                return

    async def _pass_rest(self, reader: asyncio.StreamReader) -> None:
        """The messages that make Postgres carry out a Bind."""
        kind = b""
        while kind != b"S":
            header = await reader.readexactly(_HEADER_BYTES)
            kind = header[:1]
            assert kind in _LATER, f"{kind!r} after a Bind"
            body = await reader.readexactly(unpack("!i", header[1:])[0] - 4)
            self._postgres.write(header + body)

    async def _end(self, where: Where) -> None:
        if where == "after":  # `homewards` reads the answer, and returns
            await asyncio.sleep(5)

    def _where(self, kind: bytes, body: bytes) -> Where | None:
        """Note what a message does; whether it is a commit that is to be cut."""
        if kind == b"P":
            name, text, _ = body.split(b"\0", 2)
            self._statements[name] = text.decode()
        elif kind == b"B":
            _, name, _ = body.split(b"\0", 2)
            text = self._statements.get(name, "")
            if CLICKS in text and "FUNCTION" not in text:
                return self._proxy.ask(CLICKS)
            self._note(text)
        elif kind == b"Q":
            text = body.rstrip(b"\0").decode().strip("; ")
            if text.startswith(("BEGIN", "ROLLBACK")):
                self._written = []
            elif text.startswith("COPY"):
                self._note(text)
            elif text == "COMMIT" and self._written:
                written, self._written = " ".join(dict.fromkeys(self._written)), []
                return self._proxy.ask(written)
        return None

    def _note(self, text: str) -> None:
        self._written += [f"{verb} {table}" for verb, table in _WRITTEN.findall(text)]


@asynccontextmanager
async def open_proxy(url: str) -> AsyncIterator[tuple[str, Proxy]]:
    """A proxy in front of the database at `url`; the URL through it."""
    start, _, name = url.rpartition("/")
    host, _, port = start.rpartition(":")
    proxy = Proxy(int(port))
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    try:
        proxy.port = server.sockets[0].getsockname()[1]
        yield f"{host}:{proxy.port}/{name}", proxy
    finally:
        server.close()
