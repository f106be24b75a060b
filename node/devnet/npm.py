"""What npm brings: pinned, and kept in the cache of the user.

`package.json` names the version, `package-lock.json` the hashes. Both make the name of the folder
in the cache (cache.py), so another pin is another folder. No script of a package is run.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import platform
import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from node.devnet.cache import Progress, cache_folder, ensure_folder
from node.devnet.processes import leashed
from node.errors import DaemonError

_FILES: Final = ("package.json", "package-lock.json")
_INSTALL_LIMIT_S: Final = 600.0
_ERROR_LINES: Final = 3


@dataclass(frozen=True, slots=True)
class Package:
    """Something that npm brings. `name` is what people call it, `pins` the folder of the files."""

    name: str
    pins: Path
    without_npm: str
    """What to say where there is no npm."""
    find: Callable[[Path], Path]
    """What is wanted of a folder in which npm has been. Raises DaemonError when it is not there."""


async def ensure_package(package: Package, progress: Progress) -> Path:
    """Find what is wanted of the package in the cache, or bring it there.

    `progress` gets a sentence when it takes long. Raise DaemonError when there is no npm, or when
    npm fails.
    """
    target = package_folder(package)
    waiting = f"another process brings {package.name}; waiting for it"
    await ensure_folder(
        target, lambda workshop: _install(package, workshop, progress), waiting, progress
    )
    return package.find(target)


def package_folder(package: Package) -> Path:
    """The folder in the user's cache that holds this package, or will."""
    pins = hashlib.sha256()
    for name in _FILES:
        pins.update((package.pins / name).read_bytes())
    pins.update("\0".join((sys.platform, platform.machine())).encode())
    return cache_folder(f"{package.name}-{pins.hexdigest()[:16]}")


async def _install(package: Package, workshop: Path, progress: Progress) -> Path:
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise DaemonError(package.without_npm)
    progress(f"bringing {package.name} by npm; a minute the first time")
    for name in _FILES:
        shutil.copy(package.pins / name, workshop)
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
        raise DaemonError(f"npm could not bring {package.name}: {' | '.join(last)}")
    package.find(workshop)
    return workshop
