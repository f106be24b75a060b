"""`flattr-node`: the operator's commands, one module each, loaded when it is used.

The first line of a command's docstring is its line in `--help`. Exit status: 0 fine, 1 it could not
be done (one sentence on stderr says why and what to do), 2 warnings under --strict, 3 the books are
not clean.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType
from typing import Any, Final

import cyclopts
from cyclopts import CycloptsError
from rich.console import Console

from node import failpoints, log
from node.errors import ConfigError, CorruptBooks, NodeError

FAILED: Final = 1
BREACH: Final = 3
INTERRUPTED: Final = 130

AS_VALUE: Final[Mapping[str, Any]] = MappingProxyType(
    {"exit_on_error": False, "print_error": False, "result_action": "return_value"}
)
"""Cyclopts raises its errors and returns what the command returned."""

COMMANDS: Final = {
    "demo": "node.cli.demo:demo",
    "init": "node.cli.init:init",
    "serve": "node.cli.serve:serve",
    "contract": "node.cli.contract:contract",
    "doctor": "node.cli.doctor:doctor",
    "close": "node.cli.close:close",
    "payouts": "node.cli.payouts:payouts",
    "limbo": "node.cli.limbo:limbo",
    "audit": "node.cli.audit:audit",
    "verify": "node.cli.verify:verify",
    "backup": "node.cli.backup:backup",
    "restore": "node.cli.backup:restore",
    "drain": "node.cli.drain:drain",
    "resume": "node.cli.drain:resume",
    "operator-link": "node.cli.operator_link:operator_link",
    "reconcile": "node.cli.reconcile:reconcile",
    "members": "node.cli.members:members",
    "claim": "node.cli.members:claim",
    "suspend": "node.cli.members:suspend",
    "unsuspend": "node.cli.members:unsuspend",
    "bench": "node.cli.bench:bench",
    "web-process": "node.cli.web_processes:web_process",
}
"""Where each command is: a function, or an App with sub-commands of the same name."""
HIDDEN: Final = frozenset({"web-process"})
"""Commands that only other commands call."""


@dataclass(slots=True)
class Ending:
    """How a command ended."""

    status: int = 0


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit with its status."""
    log.set_up(level=logging.WARNING)
    with ending() as end:
        prepare(sys.argv[1:] if arguments is None else arguments)
        end.status = app(arguments, **AS_VALUE) or 0
    sys.exit(end.status)


@contextmanager
def ending() -> Iterator[Ending]:
    """Run what is in the block, and say in one sentence what went wrong."""
    end = Ending()
    try:
        yield end
    except CycloptsError as error:
        end.status = _say(f"{error} See: flattr-node --help", FAILED)
    except CorruptBooks as error:
        end.status = _say(str(error), BREACH)
    except NodeError as error:
        end.status = _say(str(error), FAILED)
    except KeyboardInterrupt:
        end.status = INTERRUPTED


def prepare(arguments: Sequence[str]) -> None:
    """Arm failpoints, load the commands that are needed. Raises ConfigError."""
    _arm()
    _load(arguments)


def _load(arguments: Sequence[str]) -> None:
    """Load every command where no command is named: their first lines are the help."""
    if not arguments or arguments[0] not in COMMANDS:
        for name in COMMANDS:
            app[name]


def _arm() -> None:
    """Arm the failpoints of FLATTR_FAILPOINTS: tests kill commands, too. Raises ConfigError."""
    try:
        failpoints.arm_from_environment()
    except ValueError as error:
        raise ConfigError(f"FLATTR_FAILPOINTS: {error}") from error


def _say(text: str, status: int) -> int:
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    console.print(f"flattr-node: {' '.join(text.split())}", markup=False)
    return status


def _version() -> str:
    try:
        return version("flattr-node")
    except PackageNotFoundError:
        return "not installed"


def _app() -> cyclopts.App:
    made = cyclopts.App(
        name="flattr-node",
        help="A pot a month, a click for what you like, an equal share for each.",
        version=_version,
        suppress_keyboard_interrupt=False,
    )
    for name, place in COMMANDS.items():
        made.command(place, name=name, show=name not in HIDDEN)
    return made


app: Final = _app()
