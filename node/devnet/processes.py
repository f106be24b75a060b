"""Child processes of the local network: started, watched and ended by their own id only.

Each daemon gets its own session, so that Ctrl-C in the terminal reaches the node alone, which then
ends its daemons in order; and a leash (`leash.py`), so that none outlives a killed parent. What a
daemon prints goes to one log file, whose end is in the error when it dies.

Ports are picked below the range from which the kernel takes those of outgoing connections:
a daemon that is killed and started again finds its port still free.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from node.devnet import leash
from node.errors import DaemonError

HOST = "127.0.0.1"
_PORT_FIRST = 17_000
_PORT_LAST = 31_000
_PORT_TRIES_MAX = 200
_STOP_LIMIT_S = 15.0
_POLL_S = 0.05
_LOG_TAIL_BYTES = 600


class ChildProcess:
    """One daemon of ours, which can be started and ended again and again."""

    def __init__(self, name: str, command: Sequence[str | Path], log_path: Path) -> None:
        self.name = name
        self.log_path = log_path
        self._command = [str(part) for part in command]
        self._process: asyncio.subprocess.Process | None = None

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start the process; it has not yet opened its ports then."""
        assert not self.running, self.name
        log = _open_log(self.log_path)
        try:
            self._process = await asyncio.create_subprocess_exec(
                *leashed(self._command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        finally:
            os.close(log)

    async def stop(self) -> None:
        """SIGTERM, and SIGKILL when it does not end within 15 s. Nothing when it has ended."""
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """SIGKILL, and wait until it has ended."""
        await self._end(signal.SIGKILL)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, such as SIGSTOP. It must be running."""
        assert self._process is not None, self.name
        self._process.send_signal(number)

    def demand_running(self) -> None:
        """Raise DaemonError, with the end of the log, when the process has ended by itself."""
        if not self.running:
            raise DaemonError(f"{self.name} has ended; {self.log_path} ends with: {self._tail()}")

    async def _end(self, how: signal.Signals) -> None:
        process = self._process
        if process is None:
            return
        try:
            if process.returncode is None:
                process.send_signal(how)
            with suppress(TimeoutError):
                async with asyncio.timeout(_STOP_LIMIT_S):
                    await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    def _tail(self) -> str:
        try:
            text = self.log_path.read_bytes()[-_LOG_TAIL_BYTES:].decode(errors="replace")
        except OSError:
            return "(no log)"
        return " | ".join(text.splitlines()[-4:])


def leashed(command: Sequence[str]) -> list[str]:
    """The command, so that it dies with this process."""
    return [sys.executable, "-I", "-S", str(leash.__file__), str(os.getpid()), *command]


def free_ports(number: int) -> list[int]:
    """So many TCP ports that are free on 127.0.0.1. Raise DaemonError when there are none."""
    found: list[int] = []
    for _ in range(_PORT_TRIES_MAX):
        if len(found) == number:
            return found
        port = _PORT_FIRST + secrets.randbelow(_PORT_LAST - _PORT_FIRST)
        if port not in found and _is_free(port):
            found.append(port)
    raise DaemonError(f"no {number} free ports between {_PORT_FIRST} and {_PORT_LAST}")


async def until(condition: Callable[[], Awaitable[bool]], what: str, limit_s: float) -> None:
    """Ask again and again until it holds. Raise DaemonError, naming `what`, after `limit_s`."""
    try:
        async with asyncio.timeout(limit_s):
            while not await condition():  # noqa: ASYNC110 - no Event tells of another process
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        raise DaemonError(f"waited {limit_s:.0f} s in vain: {what}") from None


async def together(*work: Coroutine[Any, Any, None]) -> None:
    """Do all of it at once; the first failure cancels the others and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            for each in work:
                group.create_task(each)
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None


def _open_log(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
