"""A sample of `python -m tests.storage clicks`: no kill loses a click, and none counts it twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.storage.clicks import ClickRun, run_clicks

KILLS = 3

pytestmark = pytest.mark.timeout(900)


async def test_no_acknowledged_click_is_lost_or_counted_twice(
    tmp_path: Path, database_url: str
) -> None:
    report = await run_clicks(tmp_path, database_url, ClickRun(KILLS, 2000, 100, seed=1))
    print(report)
    assert report.wrong == []
    assert report.acknowledged > 0
    assert report.repeated > 0
    assert report.unanswered > 0, "no kill hit a request"
