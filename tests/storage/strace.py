"""Faults of the disk, put into a running process: strace answers in the kernel's place.

    pwrite64:error=ENOSPC:when=3+      no room, from the third write of each thread on
    fdatasync:error=EIO:when=2         the disk fails once
    fdatasync:signal=KILL:when=2       the power goes, in the middle of making a commit durable

Only SQLite writes by pwrite64, and only it waits for the disk, so nothing else is met.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from node.errors import DaemonError
from tests.storage.waiting import until

CALLS: Final = "pwrite64,fdatasync,fsync,ftruncate"
ATTACH_LIMIT_S: Final = 60
LIFT_LIMIT_S: Final = 10


class Injection:
    """A fault that is in force. `trace`: what strace writes, each injected call marked."""

    def __init__(self, process: asyncio.subprocess.Process, trace: Path) -> None:
        self._process = process
        self._trace = trace

    @property
    def hits(self) -> int:
        """How many system calls were answered wrongly, or killed."""
        text = self._trace.read_text(errors="replace") if self._trace.exists() else ""
        return text.count("(INJECTED)") + text.count("+++ killed by SIGKILL +++")

    async def until_hit(self, limit_s: float) -> None:
        """Wait until one was, or the process has ended."""
        await until(
            lambda: bool(self.hits) or self._process.returncode is not None,
            limit_s,
            lambda: f"a system call that meets the fault; strace wrote {self._trace.name}",
        )

    async def lift(self) -> None:
        """Let go of the process: its disk is well again.

        strace may wait for ever for a process that was killed under it; the kernel lets go, too.
        """
        for how in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                self._process.send_signal(how)
            with suppress(TimeoutError):
                async with asyncio.timeout(LIFT_LIMIT_S):
                    await self._process.wait()
                    return
        raise DaemonError(f"strace does not end, {LIFT_LIMIT_S} s after SIGKILL")


@asynccontextmanager
async def injecting(pid: int, fault: str, trace: Path) -> AsyncIterator[Injection]:
    """Put a fault into all threads of a process. Raises DaemonError when it can't be done here."""
    if (program := shutil.which("strace")) is None:
        raise DaemonError(
            "a failing disk needs strace: install it (Debian: apt-get install strace)"
        )
    told = trace.with_name(f"{trace.name}.told")  # no pipe: each new thread is a line, and it fills
    with told.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            program, "-f", "-e", f"trace={CALLS}", "-e", f"inject={fault}", "-o", str(trace),
            "-p", str(pid), stderr=out,
        )  # fmt: skip
    injection = Injection(process, trace)
    try:
        await until(
            lambda: "attached" in told.read_text() or process.returncode is not None,
            ATTACH_LIMIT_S,
            lambda: f"strace is attached; it says: {told.read_text()}",
        )
        if "attached" not in (said := told.read_text()):
            raise DaemonError(
                "strace can't trace here, so a disk can't be made to fail: run it as root, or allow"
                f" ptrace (in a container: --cap-add SYS_PTRACE); it says: {said}"
            )
        yield injection
    finally:
        await injection.lift()
