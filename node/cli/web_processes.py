"""Several processes that answer on one port: `serve` starts them, and each runs `web-process`.

    serve          answers, closes, pays, credits; on SQLite it writes the clicks of all
    web-process    answers; on Postgres it writes and folds its own clicks

The kernel shares out new connections among the processes that listen on the port (SO_REUSEPORT). A
web process ends when its standard input does, so it never outlives `serve`, however that ends; one
that ends by itself is started again.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Annotated, Final

import structlog
import uvloop
from cyclopts import Parameter

from node import log
from node.app import open_node
from node.cli.options import FOLDER_DEFAULT, Folder, open_more_files, read_settings
from node.clock import SystemClock
from node.config import Settings
from node.flows.node import Node
from node.flows.schedule import FOLDING, open_schedule
from node.store.click_socket import ClickSocket
from node.web.server import SHUTDOWN_S, open_server

AGAIN_AFTER_S: Final = 1.0
_READY: Final = b"ready\n"
_PART: Final = "web processes"

_log = structlog.get_logger()


@asynccontextmanager
async def open_web_processes(
    node: Node, folder: Path, port: int, clicks: ClickSocket | None
) -> AsyncIterator[None]:
    """The web processes beside this one, as many as the settings want, until the block ends."""
    command = _command(folder, port, clicks)
    tasks = [
        asyncio.create_task(_keep(node, command), name=f"web process {number}")
        for number in range(2, node.settings.web.processes + 1)
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def web_process(
    *,
    folder: Folder = FOLDER_DEFAULT,
    port: Annotated[int, Parameter(help="Where `serve` listens.")],
    clicks: Annotated[Path | None, Parameter(help="The socket of who writes the clicks.")] = None,
) -> None:
    """Answer beside a `serve` that has started this process, until its standard input ends."""
    settings = read_settings(folder)
    settings.web.port = port
    log.set_up(level=logging.INFO)
    open_more_files()
    socket = None if clicks is None else ClickSocket(clicks, writes=False)
    uvloop.run(_answer(settings, folder, socket))


async def _answer(settings: Settings, folder: Path, clicks: ClickSocket | None) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):  # Ctrl-C reaches all: `serve` says when
        loop.add_signal_handler(number, lambda: None)
    async with AsyncExitStack() as stack:
        opening = open_node(settings, folder, SystemClock(), click_socket=clicks)
        node = await stack.enter_async_context(opening)
        await stack.enter_async_context(open_server(node))
        if clicks is None:
            await stack.enter_async_context(open_schedule(node, FOLDING))
        sys.stdout.buffer.write(_READY)
        sys.stdout.buffer.flush()
        await _stdin_ends()


def _command(folder: Path, port: int, clicks: ClickSocket | None) -> list[str]:
    command = [sys.executable, "-m", "node", "web-process"]
    command += ["--folder", str(folder), "--port", str(port)]
    return command if clicks is None else [*command, "--clicks", str(clicks.path)]


async def _stdin_ends() -> None:
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    await reader.read()


async def _keep(node: Node, command: list[str]) -> None:
    """Run a web process, and another one when it has ended, until cancelled."""
    while True:
        child = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
        try:
            assert child.stdout is not None, "it is a pipe"
            if await child.stdout.readline() == _READY:
                node.health.report(_PART)
                _log.info("a web process answers", pid=child.pid)
            await child.wait()
        finally:
            await _end(child)
        words = f"a web process ended with {child.returncode}: another one is started"
        node.health.report(_PART, words)
        _log.warning(words, pid=child.pid)
        await asyncio.sleep(AGAIN_AFTER_S)


async def _end(child: Process) -> None:
    """Let it answer what it has begun; end it if that takes too long."""
    assert child.stdin is not None, "it is a pipe"
    child.stdin.close()
    with suppress(TimeoutError):
        async with asyncio.timeout(SHUTDOWN_S + 2):
            await child.wait()
    if child.returncode is None:
        child.kill()
        await child.wait()
