"""`serve`: the node, its web server and its schedule, until a signal ends them in order.

The schedule ends first, so that nothing new is sent; then the server, which answers what it has
begun; then the node, which writes the clicks that wait. What is in flight goes on in LND, and the
next start asks about it.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog
import uvloop

from node import log
from node.app import open_node, secret_files
from node.cli.options import (
    FOLDER_DEFAULT,
    Folder,
    open_more_files,
    progress_screen,
    read_settings,
)
from node.cli.web_processes import open_web_processes
from node.clock import SystemClock
from node.config import Settings, database_url
from node.flows.node import Node, give_up_leases
from node.flows.reconcile import quarantine
from node.flows.schedule import open_schedule
from node.store.click_socket import ClickSocket
from node.web.operator.console import Console
from node.web.operator.server import first_link, open_console
from node.web.server import open_server

_log = structlog.get_logger()


def serve(*, folder: Folder = FOLDER_DEFAULT) -> None:
    """Run the node until Ctrl-C.

    Serves the API, credits deposits, closes each month when it is over, and pays.
    """
    settings = read_settings(folder)
    log.set_up(level=logging.INFO)
    open_more_files()
    uvloop.run(_serve(settings, folder))


async def _serve(settings: Settings, folder: Path) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        clicks = _click_socket(settings, folder, stack)
        opening = open_node(settings, folder, SystemClock(), click_socket=clicks)
        node = await stack.enter_async_context(opening)
        server = await stack.enter_async_context(open_server(node))
        stopped = await quarantine(node)
        stack.push_async_callback(give_up_leases, node)
        await stack.enter_async_context(open_schedule(node))
        console = await stack.enter_async_context(
            open_console(node, server, folder, secret_files(settings, folder))
        )
        await stack.enter_async_context(open_web_processes(node, folder, server.port, clicks))
        await _greet(node, server.url, stopped)
        if console is not None:
            say_where(console, await first_link(node, console))
        await stop.wait()
        _log.info("ending")
    _log.info("ended")


def _click_socket(settings: Settings, folder: Path, stack: AsyncExitStack) -> ClickSocket | None:
    """Where web processes bring their clicks: Postgres takes them from each process itself."""
    if settings.web.processes == 1 or not database_url(settings, folder).startswith("sqlite"):
        return None
    room = stack.enter_context(TemporaryDirectory(prefix="flattr-node-"))
    return ClickSocket(Path(room) / "clicks", writes=True)


def say_where(console: Console, link: str | None) -> None:
    """Where the operator's console is; and the one-time link, as long as there is no passkey."""
    out = progress_screen()
    out.print(f"  the operator's console is at {console.url}", markup=False, soft_wrap=True)
    if link is not None:
        out.print("  open this once, within an hour, and add a passkey:", markup=False)
        out.print(f"  {link}", markup=False, soft_wrap=True)


async def _greet(node: Node, url: str, stopped: str | None) -> None:
    lnd = await node.lnd.read_node()
    lines: tuple[str, ...] = (
        f"flattr-node serves at {url}",
        f"  network {lnd.network}, lnd {lnd.version} {lnd.pubkey[:12]}…, {node.store.dialect.name}",
        f"  the API is at {url}/openapi.json, and {url}/readyz says whether all is well",
        "  what to do first, with curl: docs/operate.md",
        "  Ctrl-C ends it. Before you stop LND: flattr-node drain",
    )
    if node.stablecoin is not None:
        vault = node.stablecoin.money.vault.address
        lines = (*lines, f"  the stablecoin: network {node.stablecoin.network}, vault {vault}")
    if stopped is not None:
        lines = (*lines, f"  NOTHING IS SENT: {stopped} (see flattr-node doctor)")
    for line in lines:
        progress_screen().print(line, markup=False, soft_wrap=True)
