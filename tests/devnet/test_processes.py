"""No daemon outlives the node, and a daemon that dies says why."""

import asyncio
import os
import socket
import sys
from pathlib import Path

import pytest

from node.devnet.processes import ChildProcess, free_ports, leashed, together, until
from node.errors import DaemonError

LIMIT_S = 10.0
WAIT_FOREVER = "import signal; print('up', flush=True); signal.pause()"
IGNORE_TERM = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    " print('up', flush=True); signal.pause()"
)
# Starts a leashed child of its own, says the child's id, and waits.
PARENT = """
import signal, subprocess, sys
from node.devnet.processes import leashed
child = subprocess.Popen(leashed([sys.executable, "-c", "import signal; signal.pause()"]))
print(child.pid, flush=True)
signal.pause()
"""


def daemon(tmp_path: Path, program: str) -> ChildProcess:
    return ChildProcess("daemon", [sys.executable, "-c", program], tmp_path / "log")


async def up(child: ChildProcess) -> None:
    async def says_so() -> bool:
        return "up" in child.log_path.read_text()

    await until(says_so, "the daemon is up", LIMIT_S)


async def gone(pid: int) -> bool:
    """Whether the process has ended."""
    return state_of(pid) in {"", "Z"}


def state_of(pid: int) -> str:
    """The kernel's letter for it; Z when it has ended and nobody has collected it yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return ""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
async def test_a_daemon_dies_with_a_killed_parent() -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, stdout=asyncio.subprocess.PIPE, env={"PYTHONPATH": "."}
    )
    assert parent.stdout is not None
    child_pid = int(await parent.stdout.readline())
    assert not await gone(child_pid)
    parent.kill()
    await parent.wait()
    await until(lambda: gone(child_pid), "the child is gone", LIMIT_S)


async def test_a_command_whose_parent_is_gone_is_not_run(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    command = leashed(["touch", str(mark)])
    command[command.index(str(os.getpid()))] = "1"
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
    assert await process.wait() != 0
    assert not mark.exists()


@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_a_daemon_can_be_ended_and_started_again(tmp_path: Path, end: str) -> None:
    child = daemon(tmp_path, WAIT_FOREVER)
    for _ in range(2):
        await child.start()
        await up(child)
        assert child.running
        await getattr(child, end)()
        assert not child.running
    await child.stop()


async def test_a_daemon_that_ignores_the_request_to_end_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.devnet.processes._STOP_LIMIT_S", 0.2)
    child = daemon(tmp_path, IGNORE_TERM)
    await child.start()
    await up(child)
    await child.stop()
    assert not child.running


async def test_a_daemon_is_not_in_the_terminals_group(tmp_path: Path) -> None:
    child = daemon(tmp_path, "import os; print('group', os.getpgrp() == os.getpid(), 'up')")
    await child.start()
    await up(child)
    await child.kill()
    assert "group True" in child.log_path.read_text()


async def test_a_daemon_that_dies_says_why(tmp_path: Path) -> None:
    child = daemon(tmp_path, "print('up'); raise SystemExit('no port')")
    await child.start()

    async def running() -> bool:
        child.demand_running()
        return False

    with pytest.raises(DaemonError, match=r"daemon has ended.*no port"):
        await until(running, "it runs", LIMIT_S)


async def test_waiting_has_a_limit_and_a_name() -> None:
    async def never() -> bool:
        return False

    with pytest.raises(DaemonError, match="in vain: the moon falls"):
        await until(never, "the moon falls", 0.0)


async def test_one_failure_ends_the_work_beside_it() -> None:
    ended = []

    async def waits() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    async def fails() -> None:
        raise DaemonError("no")

    with pytest.raises(DaemonError, match="no"):
        await together(waits(), fails())
    assert ended


def test_free_ports_are_different_and_free() -> None:
    ports = free_ports(5)
    assert len(set(ports)) == 5
    for port in ports:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
