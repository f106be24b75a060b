"""The database that migrations make is the one that the tables declare."""

from __future__ import annotations

import re

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlmodel import SQLModel

import node.store.chain_tables
import node.store.consent_tables
import node.store.login_tables
import node.store.money_tables
import node.store.operator_tables
import node.store.recovery_tables
import node.store.site_tables
import node.store.transaction_tables
import node.store.vault_tables  # noqa: F401  declares the tables
from node.store.dialect import functions, log_triggers, triggers
from node.store.engine import Store


async def test_migrated_is_what_the_tables_declare(store: Store) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, SQLModel.metadata))

    async with store.change_schema() as connection:
        assert await connection.run_sync(differences) == []


async def test_migrated_has_the_constraints_and_triggers_of_a_created_one(store: Store) -> None:
    migrated = await _shape(store)
    async with store.change_schema() as connection:
        await connection.run_sync(_create_again)
    assert await _shape(store) == migrated


def _create_again(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
        for (name,) in names.all():
            connection.execute(text(f"DROP TRIGGER {name}"))
        SQLModel.metadata.drop_all(connection)
    else:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    SQLModel.metadata.create_all(connection)
    name = connection.dialect.name
    for statement in [*triggers(name), *functions(name), *log_triggers(name)]:
        connection.execute(text(statement.replace(":", "\\:")))


async def _shape(store: Store) -> set[tuple[object, ...]]:
    """Everything that the database says about its own constraints, indexes and triggers."""
    if store.dialect.name == "sqlite":
        sql = (
            "SELECT type, name, replace(replace(replace(lower(sql), ' ', ''), char(10), ''),"
            " char(9), '') FROM sqlite_master WHERE tbl_name <> 'alembic_version'"
            " AND sql IS NOT NULL"
        )
    else:
        sql = (
            "SELECT 'constraint', conrelid::regclass::text, pg_get_constraintdef(oid)"
            " FROM pg_constraint WHERE connamespace = 'public'::regnamespace"
            " AND conrelid::regclass::text <> 'alembic_version'"
            " UNION ALL SELECT 'index', tablename, indexdef FROM pg_indexes"
            " WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
            " UNION ALL SELECT 'trigger', tgrelid::regclass::text, pg_get_triggerdef(oid)"
            " FROM pg_trigger WHERE NOT tgisinternal"
            " UNION ALL SELECT 'function', proname::text, prosrc FROM pg_proc"
            " WHERE pronamespace = 'public'::regnamespace"
        )
    async with store.change_schema() as connection:
        rows = (await connection.execute(text(sql.replace("::", "\\:\\:")))).all()
    return {_set_of_columns(tuple(row)) for row in rows}


def _set_of_columns(row: tuple[object, ...]) -> tuple[object, ...]:
    """A CREATE TABLE as its set of lines: neither the order of constraints says anything, nor
    the parentheses that alembic puts around a default.
    """
    if row[0] == "table":
        body, _, tail = str(row[2]).split("(", 1)[1].rpartition(")")
        return (row[0], row[1], frozenset(re.sub("[()]", "", body).split(",")), tail)
    return row
