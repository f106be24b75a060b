"""A sample of `python -m tests.storage slow`: who holds connections open holds up nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.storage.slow import KINDS, SlowRun, run_slow

pytestmark = pytest.mark.timeout(900)


async def test_slow_sockets_and_an_overload_leave_the_honest_caller_answered(
    tmp_path: Path,
) -> None:
    run = SlowRun(sockets=400, asks=30, in_flight=1000, seed=1, deadline_s=5)
    report = await run_slow(tmp_path, f"sqlite:///{tmp_path / 'flattr.sqlite'}", run, print)
    print(report)
    print(f"p99 under attack is {report.p99_ms[1] / report.p99_ms[0]:.1f} times that without")
    assert report.wrong == []
    assert report.longest_s.keys() == set(KINDS)
    assert report.acknowledged > 0
