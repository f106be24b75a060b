"""What the commands share: where the node's folder is, and how its parts are opened."""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Final, TypeAlias

from cyclopts import Parameter
from rich.console import Console

from node import app
from node.clock import SystemClock
from node.config import FILE_NAME, Settings, load_settings
from node.errors import ConfigError
from node.flows.node import Node
from node.store.engine import Store

FOLDER_DEFAULT: Final = Path("flattr-data")
FILES_MAX: Final = 65_536
PIPE_WIDTH: Final = 160
"""How wide a table is where nobody says."""
RAIL: Final = "lightning"
"""The rail whose breaker `drain`, `audit` and `reconcile` open."""

Folder: TypeAlias = Annotated[
    Path, Parameter(help="The node's folder: settings, seed and, by default, the database.")
]
Json: TypeAlias = Annotated[
    bool, Parameter(name="--json", negative="", help="Print one line of JSON instead.")
]


def read_settings(folder: Path) -> Settings:
    """The settings of an existing node. Raises ConfigError, which names `init`."""
    by_environment = any(name.startswith("FLATTR_LND__") for name in os.environ)
    if not (folder / FILE_NAME).exists() and not by_environment:
        raise ConfigError(
            f"there is no {FILE_NAME} in {folder}: make one with flattr-node init --folder"
            f" {folder}, or name another folder with --folder"
        )
    return load_settings(folder)


def open_more_files() -> None:
    """As many as the system lets the process have open: every connection is one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = FILES_MAX if hard == resource.RLIM_INFINITY else min(hard, FILES_MAX)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


@asynccontextmanager
async def open_node(folder: Path) -> AsyncIterator[Node]:
    """The whole node of a folder, on the machine's clock. Raises ConfigError, RailUnavailable."""
    async with app.open_node(read_settings(folder), folder, SystemClock()) as node:
        yield node


@asynccontextmanager
async def open_books(folder: Path) -> AsyncIterator[Store]:
    """The database of a folder alone. Raises ConfigError."""
    async with app.open_books(read_settings(folder), folder) as store:
        yield store


def say_json(answer: object) -> None:
    """One line of JSON on stdout."""
    sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def screen() -> Console:
    """Where a command's answer goes: stdout, without colours in a pipe."""
    console = Console(highlight=False, soft_wrap=True)
    return (
        console
        if console.is_terminal
        else Console(highlight=False, soft_wrap=True, width=PIPE_WIDTH)
    )


def progress_screen() -> Console:
    """Where progress goes: stderr, so that stdout stays clean."""
    return Console(stderr=True, highlight=False, soft_wrap=True)
