"""A sample of `python -m tests.storage races`: 64 requests for one member's money, at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.storage.races import run_races

pytestmark = pytest.mark.timeout(900)


async def test_whoever_reaches_for_the_same_money_at_once_gets_it_once(
    tmp_path: Path, database_url: str
) -> None:
    report = await run_races(tmp_path, database_url, 3, seed=1, say=print)
    print(report)
    assert report.wrong == []
    assert report.ends["withdraw: done"] > 0
    assert report.ends["withdraw: it does not reach"] > 0
    assert report.ends["pot: done"] > 0
    assert report.ends["close: done"] >= 3
