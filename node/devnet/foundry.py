"""anvil, brought by npm and kept; `foundry/` has its pins. A minute the first time at most."""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from typing import Final

from node.devnet.cache import Progress
from node.devnet.npm import Package, ensure_package, package_folder
from node.errors import DaemonError

FOUNDRY: Final = Path(__file__).parent / "foundry"
_BINARIES: Final = "node_modules/@foundry-rs/anvil-*/bin/anvil"


async def ensure_anvil(progress: Progress) -> Path:
    """Find anvil in the cache, or bring it there.

    `progress` gets a sentence when it takes long. Raise DaemonError when there is no npm, or when
    npm fails.
    """
    return await ensure_package(_ANVIL, progress)


def anvil_folder() -> Path:
    """The folder in the user's cache that holds this anvil, or will."""
    return package_folder(_ANVIL)


def _binary(folder: Path) -> Path:
    found = sorted(folder.glob(_BINARIES))
    if not found:
        raise DaemonError(f"npm has no anvil for {sys.platform} on {platform.machine()}")
    return found[0]


_ANVIL: Final = Package(
    "anvil",
    FOUNDRY,
    "the local EVM chain is anvil, which npm brings, and there is no npm: install Node.js"
    " 20 or newer (Debian: apt-get install npm)",
    _binary,
)
