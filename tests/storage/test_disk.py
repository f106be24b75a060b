"""A sample of `python -m tests.storage disk`: what was acknowledged survives a disk that fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.errors import DaemonError
from tests.storage import strace
from tests.storage.disk import DEADLY, KINDS, run_disk
from tests.storage.strace import injecting


@pytest.mark.strace
@pytest.mark.timeout(900)
async def test_a_full_or_failing_disk_loses_nothing_and_is_told_in_words(tmp_path: Path) -> None:
    report = await run_disk(tmp_path, tmp_path / "flattr.sqlite", 1, seed=1, say=print)
    print(report)
    assert report.wrong == []
    assert {kind for kind in KINDS if report.hits[kind] > 0} == set(KINDS)
    assert report.deaths == len(DEADLY)
    assert report.refused > 0, "no click met the full disk"
    assert report.moved["503"] > 0, "no money met it"
    assert all("clicks can't be written" in words for words in report.unready_said)
    assert report.unready_said


async def test_a_machine_without_strace_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strace.shutil, "which", lambda _: None)
    with pytest.raises(DaemonError, match="apt-get install strace"):
        async with injecting(1, "pwrite64:error=EIO", tmp_path / "trace"):
            pass
