"""A migrated, empty database: made once in a process, copied for each seed, in memory if it can."""

from __future__ import annotations

import asyncio
import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

from node.store.engine import open_store

FILE: Final = "flattr.sqlite"
SHARED_MEMORY: Final = Path("/dev/shm")


@cache
def template() -> Path:
    """The file; made in a thread of its own, for opening a store runs threads and a loop."""
    parent = SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else None
    folder = Path(tempfile.mkdtemp(dir=parent, prefix="flattr-crash-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / FILE
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, _make(f"sqlite:///{path}")).result()
    return path


@contextmanager
def database_folder(name: str, of: Path | None = None) -> Iterator[Path]:
    """A node's folder with a copy of the template in it, or of another file; gone afterwards."""
    made = template()
    folder = made.parent / name
    folder.mkdir()
    try:
        shutil.copyfile(of or made, folder / FILE)
        yield folder
    finally:
        shutil.rmtree(folder)


async def _make(url: str) -> None:
    async with open_store(url) as store, store.read() as tx:
        assert await tx.value("SELECT count(*) FROM member") == 0
