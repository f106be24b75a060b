"""The connection to Postgres cut in the middle of a commit: `python -m tests.storage cuts`.

A month is played once without a cut, to learn its commits. Then it is played once for each commit
and each way to cut it (`proxy.py`), with that one commit cut: the result is unknown to the node,
which is told DatabaseAway, asks again, and must neither do it twice nor lose it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from node.clock import ManualClock
from node.devnet.postgres import open_database
from node.month import Month
from tests.simulation.scene import open_scene
from tests.storage.month import Play
from tests.storage.proxy import WAYS, Judge, Where, open_proxy

CREATORS: Final = 3
MONTH: Final = Month(2026, 11)


@dataclass
class CutReport:
    """What came of it. `by_kind`: cuts by what the transaction wrote, and where."""

    plays: int = 0
    away: Counter[str] = field(default_factory=Counter)
    by_kind: Counter[tuple[str, Where]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


async def run_cuts(
    folder: Path, server: str, say: Callable[[str], None], *, each_commit: bool
) -> CutReport:
    """Cut each commit in a play of its own; or each kind of commit, all kinds in one play a way."""
    report = CutReport()
    commits = await _played(folder / "plain", server, lambda _: None, "no cut", report)
    say(f"a month has {len(commits)} commits of {len(set(commits))} kinds")
    for where in WAYS:
        for number in range(len(commits)) if each_commit else [None]:
            judge = _each_kind_once(where) if number is None else _only(number, where)
            name = f"{where} commit {'of each kind' if number is None else number}"
            await _played(folder / f"{where}-{number}", server, judge, name, report)
        say(f"{report.plays} plays, {sum(report.by_kind.values())} cuts")
    return report


async def _played(
    folder: Path, server: str, judge: Judge, name: str, report: CutReport
) -> list[str]:
    """Play a month, with a judge of its commits from the first deposit on; its commits."""
    clock = ManualClock(MONTH.starts_s + 3600)
    async with (
        open_database(server) as direct,
        open_proxy(direct) as (url, proxy),
        open_scene(folder, clock, creators=CREATORS, database=url) as scene,
    ):
        proxy.commits.clear()
        proxy.judge = judge
        play = Play(scene)
        await play.month()
        proxy.judge = lambda _: None
        report.wrong += [f"{name}: {words}" for words in await play.judge()]
        report.plays += 1
        report.away += play.away
        report.by_kind.update(proxy.cut)
        return list(proxy.commits)


def _each_kind_once(where: Where) -> Judge:
    seen: set[str] = set()

    def judge(written: str) -> Where | None:
        if written in seen:
            return None
        seen.add(written)
        return where

    return judge


def _only(number: int, where: Where) -> Judge:
    passed = 0

    def judge(_: str) -> Where | None:
        nonlocal passed
        passed += 1
        return where if passed == number + 1 else None

    return judge
