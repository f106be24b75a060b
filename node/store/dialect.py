"""What differs between SQLite and Postgres, each with its reason. Everything else is one SQL text.

* Locking. SQLite has one writer at a time (`BEGIN IMMEDIATE`). Postgres locks rows, so whoever must
  queue says `FOR UPDATE`; and a click's fence against the close is an advisory lock.
* Many rows at once. Both read them out of one JSON parameter: thousands of rows, one statement.
* Many numbers out at once. Both list a column in one text, by aggregates of different names.
* Clicks. Postgres writes a group of them by a function: one message, one commit.
* Numbers. Postgres counts rows apart from them, and must be told after a restore.
* Damage. SQLite must be asked to read its own file and to follow its references.
* Triggers. Postgres moves balances once a statement over all its postings; SQLite once a row.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

Name = Literal["sqlite", "postgresql"]

_FORBIDDEN: Final = ("entry", "posting")
_WRITE_CLICKS: Final = """CREATE FUNCTION write_clicks(landed integer, written_us bigint,
        packed bytea, packed_keys bytea) RETURNS integer LANGUAGE plpgsql AS $$
        BEGIN
            LOOP  -- to the first month that is not frozen, fenced until the commit
                PERFORM pg_advisory_xact_lock_shared(1717, landed);
                EXIT WHEN NOT EXISTS (SELECT 1 FROM close WHERE month = landed);
                landed := landed + 1;
            END LOOP;
            INSERT INTO flattr_inbox (month, at_us, clicks, keys)
                VALUES (landed, written_us, packed, packed_keys);
            RETURN landed;
        END $$"""


@dataclass(frozen=True, slots=True)
class Dialect:
    """One database's ways. `name` as SQLAlchemy spells it."""

    name: Name

    @property
    def for_update(self) -> str:
        """Ends a SELECT whose rows a write transaction is about to change."""
        return "" if self.name == "sqlite" else " FOR UPDATE"

    def json_rows(self, types: Sequence[Literal["bigint", "text"]]) -> str:
        """A FROM clause `(…) AS r` with columns c0, c1, … out of the JSON array `:rows`."""
        return _json_rows(self.name, tuple(types))

    def listed(self, column: str) -> str:
        """An aggregate: the numbers of a column as one text, with commas between them."""
        if self.name == "sqlite":
            return f"group_concat({column})"
        return f"string_agg(CAST({column} AS text), ',')"

    def number_on(self, table: str, column: str) -> str | None:
        """Have the next row of a table numbered after the highest; None: it is done by itself.

        SQLite looks for the highest; Postgres counts apart from the rows, and misses those that
        came with a number.
        """
        if self.name == "sqlite":
            return None
        counter = f"pg_get_serial_sequence('{table}', '{column}')"
        return f"SELECT setval({counter}, max({column})) FROM {table}"

    @property
    def own_checks(self) -> tuple[str, ...]:
        """Queries by which the database reads its own file; rows but `ok` are damage.

        Postgres enforces references and checks its pages as it reads them.
        """
        if self.name == "sqlite":
            return ("PRAGMA quick_check(5)", "PRAGMA foreign_key_check")
        return ()

    @property
    def guards_there(self) -> str:
        """A query for the names of all indexes, and of the triggers that are switched on."""
        if self.name == "sqlite":
            return "SELECT name FROM sqlite_master WHERE type IN ('trigger', 'index')"
        return (
            "SELECT CAST(tgname AS text) FROM pg_trigger WHERE NOT tgisinternal"
            " AND tgenabled <> 'D' UNION ALL SELECT CAST(indexname AS text) FROM pg_indexes"
            " WHERE schemaname = current_schema()"
        )

    @property
    def upgrade_alone(self) -> str | None:
        """The lock under which one of several nodes that start at once makes the tables."""
        return None if self.name == "sqlite" else "SELECT pg_advisory_xact_lock(1718, 0)"

    def months_fence(self, *, exclusive: bool) -> str | None:
        """The lock on `:month` that clicks share and a freeze has alone; None: no need of it."""
        if self.name == "sqlite":
            return None
        shared = "" if exclusive else "_shared"
        return f"SELECT pg_advisory_xact_lock{shared}(1717, CAST(:month AS integer))"

    def site_fence(self, *, exclusive: bool) -> str | None:
        """The lock on `:site` that new things of it share and a claim of it has alone."""
        if self.name == "sqlite":
            return None
        shared = "" if exclusive else "_shared"
        return f"SELECT pg_advisory_xact_lock{shared}(1719, hashtext(:site))"


@cache
def _json_rows(name: Name, types: tuple[str, ...]) -> str:
    columns = []
    for index, kind in enumerate(types):
        cast = "" if name == "sqlite" else f"::{kind}"
        columns.append(f"(value ->> {index}){cast} AS c{index}")
    source = "json_each" if name == "sqlite" else "json_array_elements"
    rows = ":rows" if name == "sqlite" else "CAST(:rows AS json)"
    return f"(SELECT {', '.join(columns)} FROM {source}({rows})) AS r"


def triggers(name: str) -> list[str]:
    """The statements that make the triggers, for a new database."""
    return _sqlite_triggers() if name == "sqlite" else _postgres_triggers()


def log_triggers(name: str) -> list[str]:
    """The same for the operator's log, which is younger."""
    return _never_changes(name, "operator_log")


def _never_changes(name: str, table: str) -> list[str]:
    """The triggers that refuse to change or delete a row of a table."""
    if name == "sqlite":
        return [
            f"""CREATE TRIGGER {table}_never_{verb.lower()}d BEFORE {verb} ON {table} BEGIN
                SELECT RAISE(ABORT, '{table}: rows are never changed or deleted');
            END"""
            for verb in ("UPDATE", "DELETE")
        ]
    never = f"{table}_never_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
    return [f"CREATE TRIGGER {never} FOR EACH STATEMENT EXECUTE FUNCTION rows_never_change()"]


def _sqlite_triggers() -> list[str]:
    statements = [
        """CREATE TRIGGER posting_moves_balances AFTER INSERT ON posting BEGIN
            UPDATE account SET balance = balance + side * NEW.units WHERE id = NEW.debit;
            UPDATE account SET balance = balance - side * NEW.units WHERE id = NEW.credit;
        END"""
    ]
    statements += [one for table in _FORBIDDEN for one in _never_changes("sqlite", table)]
    return statements


def _postgres_triggers() -> list[str]:
    moves = """CREATE FUNCTION posting_moves_balances() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            UPDATE account a SET balance = a.balance + a.side * d.units FROM (
                SELECT id, CAST(sum(units) AS bigint) AS units FROM (
                    SELECT debit AS id, units FROM made
                    UNION ALL SELECT credit, -units FROM made
                ) AS both_sides GROUP BY id
            ) AS d WHERE a.id = d.id;
            RETURN NULL;
        END $$"""
    never = """CREATE FUNCTION rows_never_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '%: rows are never changed or deleted', TG_TABLE_NAME;
        END $$"""
    statements = [
        moves,
        """CREATE TRIGGER posting_moves_balances AFTER INSERT ON posting
        REFERENCING NEW TABLE AS made
        FOR EACH STATEMENT EXECUTE FUNCTION posting_moves_balances()""",
        never,
    ]
    statements += [one for table in _FORBIDDEN for one in _never_changes("postgresql", table)]
    return statements


def functions(name: str) -> list[str]:
    """The statements that make the functions, for a database that has the tables."""
    return [_WRITE_CLICKS] if name == "postgresql" else []


def driver_url(url: str) -> str:
    """The URL with the asynchronous driver that the node uses."""
    url = re.sub(r"^postgres(ql)?://", "postgresql+asyncpg://", url)
    return re.sub(r"^sqlite://", "sqlite+aiosqlite://", url)
