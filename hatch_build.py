"""Bring pico.css from npm when the package is built, so that it need not be committed.

The tarball is pinned by its hash. Without npm the build goes on with a notice, and the pages use
their own small `plain.css`. It runs for wheels, for sdists, which hold the file, and for editable
installs; what is there already is not brought again.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # `python hatch_build.py`: the Makefile runs it beside what installs hatchling
    BuildHookInterface = list

PACKAGE = "@picocss/pico@2.1.1"
SHA256 = "4affbb56f49df6d5325610b06762156f1dcdbc6ef57cea5c136d7e8a00a8cd24"
INSIDE = "package/css/pico.min.css"
TIMEOUT_S = 60


class Vendor(BuildHookInterface[Any]):
    """hatchling calls `initialize` before each build."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Put the file into static/vendor/."""
        del version, build_data
        if trouble := bring(Path(self.root)):
            self.app.display_warning(trouble)


def bring(root: Path) -> str:
    """Fetch it if it is not there; what went wrong, or empty."""
    place = root / "node/web/static/vendor/pico.min.css"
    trouble = "" if place.exists() else _fetch(place)
    return trouble and f"without pico.css, the pages use plain.css: {trouble}"


def _fetch(place: Path) -> str:
    if (npm := shutil.which("npm")) is None:
        return "npm is not installed"
    with tempfile.TemporaryDirectory() as folder:
        command = [npm, "pack", PACKAGE, "--silent", "--pack-destination", folder]
        try:
            subprocess.run(  # noqa: S603  the words of the command are constants
                command, check=True, capture_output=True, timeout=TIMEOUT_S, cwd=folder
            )
        except (OSError, subprocess.SubprocessError) as error:
            return f"npm could not fetch {PACKAGE} ({type(error).__name__})"
        [tarball] = Path(folder).glob("*.tgz")
        if hashlib.sha256(tarball.read_bytes()).hexdigest() != SHA256:
            return f"{PACKAGE} is not what it was"
        with tarfile.open(tarball) as packed:
            css = packed.extractfile(INSIDE)
            assert css is not None, "it is a file"
            place.parent.mkdir(exist_ok=True)
            place.write_bytes(css.read())
    return ""


if __name__ == "__main__":
    if words := bring(Path(__file__).parent):
        sys.stderr.write(f"{words}\n")
