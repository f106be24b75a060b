"""A played month in a folder, for commands that run as processes of their own.

The month is long ago by every clock, so a command, which has the machine's, finds it over.
"""

import asyncio
import io
import json
import logging
import os
import sys
from asyncio.subprocess import PIPE
from contextlib import asynccontextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from node import log
from node.cli.main import AS_VALUE, app, ending, prepare
from node.clock import ManualClock
from node.config import FILE_NAME, Settings
from node.month import Month
from tests.simulation.scene import Scene, open_scene

OLD = Month(2024, 2)
LIMIT_S = 60


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out.splitlines()[-1])

    def one_sentence(self) -> str:
        """What went wrong: one line on stderr, no traceback, exit status 1."""
        assert self.status == 1, self
        lines = self.err.strip().splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("flattr-node: ")
        return lines[0].removeprefix("flattr-node: ")


async def start(*arguments: object, **variables: str) -> asyncio.subprocess.Process:
    """Start `flattr-node` with these arguments and variables; stdin is no terminal."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "node", *map(str, arguments)),
        stdin=asyncio.subprocess.DEVNULL, stdout=PIPE, stderr=PIPE,
        env={**os.environ, "COLUMNS": "200", **variables},
    )  # fmt: skip


async def run_process(*arguments: object, **variables: str) -> Ended:
    """Run `flattr-node` to its end, as a process of its own: slow, and just as a user does it."""
    process = await start(*arguments, **variables)
    async with asyncio.timeout(LIMIT_S):
        out, err = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


async def run(*arguments: object) -> Ended:
    """Run `flattr-node` in this process, with all that stands around a command."""
    out, err = io.StringIO(), io.StringIO()
    words = [str(word) for word in arguments]
    with redirect_stdout(out), redirect_stderr(err):
        log.set_up(level=logging.WARNING)
        with ending() as end:
            prepare(words)
            async with asyncio.timeout(LIMIT_S):
                end.status = await app.run_async(words, **AS_VALUE) or 0
    return Ended(end.status, out.getvalue(), err.getvalue())


def write_settings(folder: Path, settings: Settings, **changes: Any) -> Path:
    """`settings` as an operator would have written them, in `folder`."""
    changed = settings.model_copy(update=changes)
    lines = [f"network = {json.dumps(changed.network)}"]
    lines += [f"database = {json.dumps(changed.database)}"]
    lines += [f"fetch_allow = {json.dumps(sorted(changed.fetch_allow))}"]
    lines += ["[lnd]", f"lndconnect = {json.dumps(changed.lnd.lndconnect)}"]
    lines += ["[money]", f"dues_sat = {changed.money.dues_sat}"]
    if changed.money.operator_target is not None:
        lines += [f"operator_target = {json.dumps(changed.money.operator_target)}"]
    lines += ["[web]", f"port = {changed.web.port}", f"processes = {changed.web.processes}"]
    lines += [f"public_url = {json.dumps(changed.web.public_url)}"]
    lines += ["[operator]", "port = 0"]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE_NAME
    path.write_text("\n".join(lines) + "\n")
    path.chmod(0o600)
    return folder


@asynccontextmanager
async def _open_place(folder: Path, at_s: int, creators: int) -> Any:
    async with open_scene(folder, ManualClock(at_s), creators=creators, keysend=True) as scene:
        operator = scene.network.nodes["operator"].identity_pubkey
        money = scene.settings.money.model_copy(update={"operator_target": operator})
        write_settings(folder / "node", scene.settings, money=money)
        rules = replace(scene.node.rules, operator_target=operator)
        scene.node = replace(scene.node, rules=rules)
        yield scene


@pytest.fixture
def open_place(tmp_path: Path) -> Any:
    """`async with open_place() as scene`: its settings are in `scene.folder / "node"`."""
    return lambda at_s=OLD.starts_s + 3600, creators=3: _open_place(tmp_path, at_s, creators)


@pytest.fixture
async def place(open_place: Any) -> Any:
    """A node in February 2024, nothing played yet."""
    async with open_place() as scene:
        yield scene


def folder_of(scene: Scene) -> tuple[str, Path]:
    """The option that names the node's folder."""
    return "--folder", scene.folder / "node"
