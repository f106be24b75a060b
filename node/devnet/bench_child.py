"""One measured step of the bench in a process of its own, so that its memory is its own.

A bench module runs itself, `python -m node.devnet.bench_… STEP WORDS…`, and prints one JSON line.
"""

from __future__ import annotations

import asyncio
import json
import resource
import statistics
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from node.devnet.processes import leashed
from node.errors import DaemonError

LINE_SIZE_MAX: Final = 1 << 22
_MIB: Final = 2**20
_END_LIMIT_S: Final = 30
_STATUS: Final = Path("/proc/self/status")


async def run_child(module: str, step: str, *words: object) -> dict[str, Any]:
    """The figures that a step prints. Raises DaemonError when it fails."""
    command = [sys.executable, "-m", f"node.devnet.{module}", step, *map(str, words)]
    child = await asyncio.create_subprocess_exec(
        *leashed(command), stdout=PIPE, limit=LINE_SIZE_MAX
    )
    try:
        out, _ = await child.communicate()
    finally:
        if child.returncode is None:
            child.kill()
    if child.returncode != 0:
        raise DaemonError(f"{module} {step} ended with {child.returncode}: see its words above")
    figures: dict[str, Any] = json.loads(out.splitlines()[-1])
    return figures


@asynccontextmanager
async def open_child(module: str, step: str, *words: object) -> AsyncIterator[dict[str, Any]]:
    """Start a step that goes on, and yield the line that it prints when it is ready.

    It ends when its stdin does, at the end of the block. Raises DaemonError.
    """
    command = [sys.executable, "-m", f"node.devnet.{module}", step, *map(str, words)]
    child = await asyncio.create_subprocess_exec(*leashed(command), stdin=PIPE, stdout=PIPE)
    assert child.stdin is not None, "it is a pipe"
    assert child.stdout is not None, "it is a pipe"
    try:
        if not (line := await child.stdout.readline()):
            raise DaemonError(f"{module} {step} ended at once: see its words above")
        told: dict[str, Any] = json.loads(line)
        yield told
        child.stdin.close()
        await asyncio.wait_for(child.wait(), _END_LIMIT_S)
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


def say(figures: object) -> None:
    """Print figures as the one line that the parent reads."""
    sys.stdout.write(json.dumps(figures) + "\n")
    sys.stdout.flush()


def peak_mib() -> float:
    """The most memory that this process has held, in MiB.

    By Linux's own count of this program; getrusage would include what the parent held at the fork.
    """
    if _STATUS.exists():
        lines = _STATUS.read_text(encoding="ascii", errors="replace").splitlines()
        (peak,) = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
        return int(peak) / 1024
    unit = _MIB if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def median(values: Sequence[float]) -> float:
    """The median."""
    return float(statistics.median(values))
