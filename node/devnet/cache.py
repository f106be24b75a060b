"""What the local network is made of, made once and kept in the user's cache.

    $XDG_CACHE_HOME/flattr-node/daemons/<name that stands for all pins>/

A folder is made under another name and renamed when it is whole: its own name is the proof of that,
and another pin is another folder. A lock file lets one process make it while the others wait.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

Progress = Callable[[str], None]

_LOCK_POLL_S = 0.5


def cache_folder(name: str) -> Path:
    """Where the folder of this name is, or will be."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "flattr-node" / "daemons" / name


async def ensure_folder(
    target: Path, fill: Callable[[Path], Awaitable[Path]], waiting: str, progress: Progress
) -> None:
    """Have `target`: `fill` works in a folder of its own, and says which one to keep of it.

    `progress` gets the sentence `waiting` when another process makes it already.
    """
    if _is_made(target):
        return
    async with _locked(target.with_suffix(".lock"), waiting, progress):
        if _is_made(target):
            return
        workshop = Path(tempfile.mkdtemp(prefix=".building-", dir=target.parent))
        try:
            (await fill(workshop)).rename(target)
        finally:
            shutil.rmtree(workshop, ignore_errors=True)


def _is_made(target: Path) -> bool:
    """Whether the folder is there; else the one that it will be in is."""
    target.parent.mkdir(parents=True, exist_ok=True)
    return target.is_dir()


@asynccontextmanager
async def _locked(path: Path, waiting: str, progress: Progress) -> AsyncIterator[None]:
    """Hold the lock file. The kernel frees it when this process dies."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        told = False
        while not _try_lock(lock):
            if not told:
                progress(waiting)
                told = True
            await asyncio.sleep(_LOCK_POLL_S)
        yield
    finally:
        os.close(lock)


def _try_lock(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
