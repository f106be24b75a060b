"""A sample of `python -m tests.storage cuts`: each kind of commit is cut once, in each way."""

from __future__ import annotations

from pathlib import Path

from tests.storage.cuts import run_cuts
from tests.storage.proxy import CLICKS, WAYS


async def test_a_commit_whose_answer_is_lost_is_neither_done_twice_nor_lost(
    tmp_path: Path, postgres_server: str
) -> None:
    report = await run_cuts(tmp_path, postgres_server, print, each_commit=False)
    print(*sorted(report.by_kind), sep="\n")
    print(report.away)
    assert report.wrong == []
    for where in WAYS:
        cut = {written for written, place in report.by_kind if place == where}
        for table in ("INTO deposit", "INTO payout", "INTO attempt", "INTO close", CLICKS):
            assert any(table in written for written in cut), f"no {table} was cut {where}"
