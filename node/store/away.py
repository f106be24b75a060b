"""A database that is away, full or broken off: its errors, told as one of ours.

    both       no connection of the pool is free in time
    Postgres   no connection, or one that broke; ended or starting; no room; a deadlock
    SQLite     no room, a disk that fails, a lock that was not had in time

A transaction that ends so is undone, with one exception: when the connection or the disk fails in
the commit itself, nobody knows whether it was done. So whoever asked asks again, under the same
key; all that moves money has an id that says what it records, and is booked once.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoneIsFree

from node.errors import DatabaseAway

_SQLITE: Final = frozenset({
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN,
})  # fmt: skip
_POSTGRES: Final = ("08", "40", "53", "55P03", "57", "58")
"""SQLSTATEs: connection, rolled back, no resources, lock not had, ended by its operator, system."""
_LOST: Final = (OSError, NoneIsFree, asyncpg.InterfaceError, asyncpg.PostgresConnectionError)
_WATCHED: Final = (OSError, NoneIsFree, asyncpg.PostgresError, asyncpg.InterfaceError, DBAPIError)
_OF_FILES: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS})
"""What a driver does not raise: a file that is written beside a transaction can't be."""
UNDONE: Final = "the database has undone this transaction"
"""What `sqlite.py` says of a transaction that SQLite has ended by itself."""


@contextmanager
def told_as_away() -> Iterator[None]:
    """Raise DatabaseAway for what the database can't do now; other errors pass."""
    try:
        yield
    except _WATCHED as error:
        if not is_away(error):
            raise
        raise DatabaseAway(f"the database can't do this now: {_first_line(error)}") from error


def is_away(error: BaseException) -> bool:
    """Whether it is the database's state that is at fault, and not what was asked of it."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or is_away(error.orig or ValueError())
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        return code in _SQLITE or UNDONE in str(error)
    if isinstance(error, OSError) and error.errno in _OF_FILES:
        return False
    state = getattr(error, "sqlstate", None) or ""
    return isinstance(error, _LOST) or state.startswith(_POSTGRES)


def _first_line(error: Exception) -> str:
    words = str(error.orig if isinstance(error, DBAPIError) and error.orig else error)
    return words.partition("\n")[0] or type(error).__name__
