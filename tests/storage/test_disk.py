"""A sample of `python -m tests.storage disk`: what was acknowledged survives a disk that fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.storage.disk import DEADLY, FULL, run_disk

pytestmark = pytest.mark.timeout(900)


async def test_a_full_or_failing_disk_loses_nothing_and_is_told_in_words(tmp_path: Path) -> None:
    report = await run_disk(tmp_path, tmp_path / "flattr.sqlite", 1, seed=1, say=print)
    print(report)
    assert report.wrong == []
    assert report.hits[FULL] > 0
    assert report.deaths == len(DEADLY)
    assert report.refused > 0, "no click met the full disk"
    assert report.moved["503"] > 0, "no money met it"
    assert all("database" in words for words in report.unready_said)
