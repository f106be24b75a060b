"""Bringing anvil by npm: once, whole or not at all. `npm` is a script here."""

import asyncio
import json
from pathlib import Path

import pytest

from node.devnet.foundry import FOUNDRY, anvil_folder, ensure_anvil
from node.errors import DaemonError

# Like `npm ci`: it wants both files, and leaves the binary for this machine. Counts its runs.
GOOD_NPM = """#!/bin/sh
echo "$@" >> "$XDG_CACHE_HOME/runs"
test -f package.json && test -f package-lock.json || exit 9
mkdir -p node_modules/@foundry-rs/anvil-here/bin
echo anvil > node_modules/@foundry-rs/anvil-here/bin/anvil
"""
BAD_NPM = """#!/bin/sh
echo 'npm error network is down' >&2
exit 1
"""
NPM_WITHOUT_THIS_MACHINE = """#!/bin/sh
mkdir -p node_modules/@foundry-rs/anvil
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setattr("node.devnet.cache._LOCK_POLL_S", 0.01)
    (tmp_path / "bin").mkdir()
    (tmp_path / "cache").mkdir()
    return tmp_path / "cache"


def put(cache: Path, npm: str) -> None:
    for name, script in (("npm", npm), ("node", "#!/bin/sh\n")):
        path = cache.parent / "bin" / name
        path.write_text(script)
        path.chmod(0o755)


def nobody(_: str) -> None:
    """Listen to no progress."""


async def test_anvil_is_brought_once_by_two_at_a_time(cache: Path) -> None:
    put(cache, GOOD_NPM)
    first, second = await asyncio.gather(ensure_anvil(nobody), ensure_anvil(nobody))
    assert first == second
    assert first.read_text() == "anvil\n"
    assert await ensure_anvil(nobody) == first
    (run,) = (cache / "runs").read_text().splitlines()
    assert run.startswith("ci --ignore-scripts")
    assert not list(anvil_folder().parent.glob(".building-*"))


@pytest.mark.parametrize(
    ("npm", "match"), [(BAD_NPM, "network is down"), (NPM_WITHOUT_THIS_MACHINE, "no anvil for")]
)
async def test_a_failed_install_says_why_and_leaves_nothing(
    cache: Path, npm: str, match: str
) -> None:
    put(cache, npm)
    with pytest.raises(DaemonError, match=match):
        await ensure_anvil(nobody)
    assert not anvil_folder().exists()
    put(cache, GOOD_NPM)
    assert (await ensure_anvil(nobody)).exists()


@pytest.mark.usefixtures("cache")
async def test_without_npm_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DaemonError, match=r"install Node\.js"):
        await ensure_anvil(nobody)


def test_what_npm_brings_is_pinned_by_its_hash_and_names_no_host() -> None:
    text = (FOUNDRY / "package-lock.json").read_text()
    packages = json.loads(text)["packages"]
    (wanted,) = json.loads((FOUNDRY / "package.json").read_text())["dependencies"].items()
    brought = {name: each for name, each in packages.items() if name}
    assert packages[f"node_modules/{wanted[0]}"]["version"] == wanted[1]
    assert all(each["integrity"].startswith("sha512-") for each in brought.values())
    assert "resolved" not in text
    assert "://" not in text
