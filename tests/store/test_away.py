"""What is told as a database that is away, and what is a fault of what was asked."""

from __future__ import annotations

import errno

import asyncpg
import pytest
import sqlalchemy.exc

from node.errors import DatabaseAway
from node.store.away import told_as_away
from node.store.engine import Store


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError("refused"),
        sqlalchemy.exc.TimeoutError("no connection of the pool is free"),
        asyncpg.DeadlockDetectedError("deadlock"),
        asyncpg.SerializationError("serialization"),
        asyncpg.DiskFullError("no room"),
        asyncpg.AdminShutdownError("shutting down"),
        asyncpg.CannotConnectNowError("starting up"),
        asyncpg.ConnectionDoesNotExistError("closed in the middle"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_the_database_cannot_do_now_is_told_as_one_error(error: Exception) -> None:
    with pytest.raises(DatabaseAway), told_as_away():
        raise error


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.UndefinedTableError("no table"),
        asyncpg.CheckViolationError("c"),
        ValueError("v"),
        OSError(errno.ENOSPC, "a file beside the transaction finds no room"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_is_wrong_with_what_was_asked_stays_what_it_is(error: Exception) -> None:
    with pytest.raises(type(error)), told_as_away():
        raise error


async def test_a_statement_that_is_wrong_is_not_told_as_away(store: Store) -> None:
    with pytest.raises(sqlalchemy.exc.DBAPIError):
        async with store.read() as tx:
            await tx.rows("SELECT * FROM no_such_table")
