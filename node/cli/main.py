"""`flattr-node`: the operator's commands, one module each, loaded when it is used.

The first line of a command's docstring is its line in `--help`. Exit status: 0 fine, 1 it could not
be done (one sentence on stderr says why and what to do), 2 warnings under --strict, 3 the books are
not clean.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Final

import cyclopts
from cyclopts import CycloptsError
from rich.console import Console

from node import failpoints, log
from node.errors import ConfigError, CorruptBooks, NodeError

FAILED: Final = 1
BREACH: Final = 3
INTERRUPTED: Final = 130

COMMANDS: Final = {
    "demo": "node.cli.demo:demo",
    "init": "node.cli.init:init",
    "serve": "node.cli.serve:serve",
    "doctor": "node.cli.doctor:doctor",
    "close": "node.cli.close:close",
    "payouts": "node.cli.payouts:payouts",
    "audit": "node.cli.audit:audit",
    "drain": "node.cli.drain:drain",
    "resume": "node.cli.drain:resume",
    "reconcile": "node.cli.reconcile:reconcile",
    "members": "node.cli.members:members",
    "claim": "node.cli.members:claim",
    "suspend": "node.cli.members:suspend",
    "unsuspend": "node.cli.members:unsuspend",
    "bench": "node.cli.bench:bench",
}
"""Where each command is: a function, or an App with sub-commands of the same name."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit with its status."""
    log.set_up(level=logging.WARNING)
    try:
        _arm()
        _load(sys.argv[1:] if arguments is None else arguments)
        status = app(
            arguments, exit_on_error=False, print_error=False, result_action="return_value"
        )
    except CycloptsError as error:
        sys.exit(_say(f"{error} See: flattr-node --help", FAILED))
    except CorruptBooks as error:
        sys.exit(_say(str(error), BREACH))
    except NodeError as error:
        sys.exit(_say(str(error), FAILED))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    sys.exit(status if isinstance(status, int) else 0)


def _load(arguments: Sequence[str]) -> None:
    """Load every command where no command is named: their first lines are the help."""
    if not arguments or arguments[0] not in COMMANDS:
        for name in COMMANDS:
            if name in app:
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
        if find_spec(place.partition(":")[0]) is not None:
            made.command(place, name=name)
    return made


app: Final = _app()
