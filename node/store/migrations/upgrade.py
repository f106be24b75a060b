"""Bring a database up to date, inside the caller's transaction.

A database made by a newer node is refused: going back would lose what it knows.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from node.errors import ConfigError


def config(connection: Connection | None = None) -> Config:
    """Alembic's settings, without a file."""
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent))
    settings.attributes["connection"] = connection
    return settings


def upgrade(connection: Connection, revision: str | None = None) -> None:
    """Run what is missing, up to a revision or the newest.

    Raises ConfigError for a database, or a revision, of a newer node.
    """
    settings = config(connection)
    scripts = ScriptDirectory.from_config(settings)
    current = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in scripts.walk_revisions()}
    if current is not None and current not in known:
        raise ConfigError(f"the database is at {current}, made by a newer flattr-node: upgrade it")
    if revision is not None and revision not in known:
        raise ConfigError(f"this is of {revision}, which a newer flattr-node has made: upgrade it")
    if current != (revision or scripts.get_current_head()):
        command.upgrade(settings, revision or "head")
