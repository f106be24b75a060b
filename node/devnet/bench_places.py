"""Where the bench's databases are, gone afterwards; and the port that several servers share."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias
from uuid import uuid4

from node.devnet.postgres import open_database
from node.store.click_socket import ClickSocket

Kind: TypeAlias = Literal["sqlite", "postgres"]

_SQLITE: Final = "sqlite:///"


@dataclass(frozen=True, slots=True)
class SharedPort:
    """A server that is one of several on its port (`bench_processes.py`). Port 0: it chooses."""

    port: int
    clicks: ClickSocket | None

    @classmethod
    def of(cls, port: str, socket: str, role: str) -> SharedPort:
        """`role`: the process writes for the others, asks another one, or writes its own."""
        writes = {"writes": True, "asks": False}
        clicks = ClickSocket(Path(socket), writes[role]) if role in writes else None
        return cls(int(port), clicks)


@asynccontextmanager
async def open_place(folder: Path, postgres: str | None, kind: Kind) -> AsyncIterator[str]:
    """The URL of a database that is not there yet, or empty; it goes with the block."""
    if kind == "postgres":
        assert postgres is not None, "who asks for Postgres has a server"
        async with open_database(postgres) as url:
            yield url
        return
    path = folder / f"{uuid4().hex}.sqlite"
    try:
        yield f"{_SQLITE}{path}"
    finally:
        _unlink(path)


@asynccontextmanager
async def open_copy(url: str) -> AsyncIterator[str]:
    """The URL of a copy of a database that nobody has open; it goes with the block."""
    if not url.startswith(_SQLITE):
        async with open_database(url.rpartition("/")[0], template=url) as copied:
            yield copied
        return
    path = Path(url.removeprefix(_SQLITE))
    copy = path.with_name(f"{uuid4().hex}.copy")
    shutil.copy(path, copy)
    try:
        yield f"{_SQLITE}{copy}"
    finally:
        _unlink(copy)


def sqlite_path(url: str) -> Path | None:
    """The file of a SQLite URL; None for Postgres."""
    return Path(url.removeprefix(_SQLITE)) if url.startswith(_SQLITE) else None


def _unlink(path: Path) -> None:
    for end in ("", "-wal", "-shm"):
        Path(f"{path}{end}").unlink(missing_ok=True)
