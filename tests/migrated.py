"""A new database in a test is a copy of one that was migrated: thousands of tests begin with one.

The first of a process is made by the migrations. Those after it are made by the statements that the
first one holds (SQLite), or copied by the server (Postgres, `tests/conftest.py`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeAlias

from sqlalchemy import Connection, create_engine

from node.store.migrations.upgrade import upgrade

Upgrade: TypeAlias = Callable[[Connection, str | None], None]

_SCHEMA = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"
_MADE_BY_ITSELF = "CREATE TABLE sqlite_"


def upgrade_by_copy(folder: Path) -> Upgrade:
    """What stands for `upgrade` on an empty SQLite database. `folder`: for the first one."""
    statements = _statements(folder / "migrated.sqlite")

    def upgrade_(connection: Connection, revision: str | None = None) -> None:
        if connection.dialect.name != "sqlite" or revision is not None or _tables(connection):
            upgrade(connection, revision)
            return
        adapted: Any = connection.connection.dbapi_connection
        for statement in statements:
            adapted.run_async(lambda driver, sql=statement: driver.execute(sql))

    return upgrade_


def _statements(path: Path) -> list[str]:
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        upgrade(connection)
    engine.dispose()
    with closing(sqlite3.connect(path)) as migrated:
        schema = [
            sql for (sql,) in migrated.execute(_SCHEMA) if not sql.startswith(_MADE_BY_ITSELF)
        ]
        ((revision,),) = migrated.execute("SELECT version_num FROM alembic_version").fetchall()
        _demand_no_rows(migrated)
    return [*schema, f"INSERT INTO alembic_version (version_num) VALUES ('{revision}')"]


def _demand_no_rows(migrated: sqlite3.Connection) -> None:
    """A migration that writes rows would be lost in a copy of the schema."""
    tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    for (table,) in migrated.execute(tables).fetchall():
        (rows,) = migrated.execute(f"SELECT count(*) FROM {table}").fetchone()
        assert rows == (table == "alembic_version"), table


def _tables(connection: Connection) -> bool:
    return connection.exec_driver_sql("SELECT 1 FROM sqlite_master LIMIT 1").first() is not None
