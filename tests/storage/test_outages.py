"""A sample of `python -m tests.storage outages`: the node goes on when its database is back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.storage.outages import run_outages

pytestmark = pytest.mark.timeout(900)


async def test_a_killed_postgres_loses_nothing_and_the_node_goes_on_without_a_hand(
    tmp_path: Path,
) -> None:
    report = await run_outages(tmp_path, 2, 1, seed=1, say=print)
    print(report)
    assert report.wrong == []
    assert report.kills["the postmaster, serving"] == report.kills["a backend, serving"] == 1
    assert report.refused > 0, "no click met a database that was away"
    assert report.away.total() > 0, "the month met none"
