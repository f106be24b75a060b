"""The worlds by name. One is a module `tests.crash.<name>` or `tests.crash.<name>.world`.

It has a `WORLD` in it; see `report.World`.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Final

from tests.crash.report import World

MODULES: Final = {
    "lightning": "tests.crash.lightning.world",
    "vault": "tests.crash.vault.world",
}


def names() -> list[str]:
    """The worlds that there are."""
    return [name for name in MODULES if find_spec(f"tests.crash.{name}") is not None]


def load(name: str) -> World:
    """The world of this name. Raises KeyError."""
    world: World = import_module(MODULES[name]).WORLD
    return world
