"""anvil, brought by npm and kept.

`foundry/package.json` names the version, `foundry/package-lock.json` the hashes of what npm brings.
Both make the name of the folder in the user's cache (cache.py). A minute the first time at most.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import platform
import shutil
import signal
import sys
from pathlib import Path
from typing import Final

from node.devnet.cache import Progress, cache_folder, ensure_folder
from node.devnet.processes import leashed
from node.errors import DaemonError

FOUNDRY: Final = Path(__file__).parent / "foundry"
_FILES: Final = ("package.json", "package-lock.json")
_INSTALL_LIMIT_S: Final = 600.0
_BINARIES: Final = "node_modules/@foundry-rs/anvil-*/bin/anvil"
_ERROR_LINES: Final = 3


async def ensure_anvil(progress: Progress) -> Path:
    """Find anvil in the cache, or bring it there.

    `progress` gets a sentence when it takes long. Raise DaemonError when there is no npm, or when
    npm fails.
    """
    target = anvil_folder()
    waiting = "another process brings anvil; waiting for it"
    await ensure_folder(target, lambda workshop: _install(workshop, progress), waiting, progress)
    return _binary(target)


def anvil_folder() -> Path:
    """The folder in the user's cache that holds this anvil, or will."""
    pins = hashlib.sha256()
    for name in _FILES:
        pins.update((FOUNDRY / name).read_bytes())
    pins.update("\0".join((sys.platform, platform.machine())).encode())
    return cache_folder(f"anvil-{pins.hexdigest()[:16]}")


async def _install(workshop: Path, progress: Progress) -> Path:
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise DaemonError(
            "the local EVM chain is anvil, which npm brings, and there is no npm: install Node.js"
            " 20 or newer (Debian: apt-get install npm)"
        )
    progress("bringing anvil by npm; a minute the first time")
    for name in _FILES:
        shutil.copy(FOUNDRY / name, workshop)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    process = await asyncio.create_subprocess_exec(
        *leashed(command),
        cwd=workshop,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(_INSTALL_LIMIT_S):
            _, said = await process.communicate()
    except TimeoutError:
        raise DaemonError(f"npm took more than {_INSTALL_LIMIT_S / 60:.0f} minutes") from None
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if process.returncode != 0:
        last = said.decode(errors="replace").splitlines()[-_ERROR_LINES:]
        raise DaemonError(f"npm could not bring anvil: {' | '.join(last)}")
    _binary(workshop)
    return workshop


def _binary(folder: Path) -> Path:
    found = sorted(folder.glob(_BINARIES))
    if not found:
        raise DaemonError(f"npm has no anvil for {sys.platform} on {platform.machine()}")
    return found[0]
