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
from node.store.engine import open_store
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
    async with open_database(server) as template:
        async with open_store(template):
            pass  # its tables are made once, and each play has a copy
        await _all_plays(_Plays(folder, server, template, report, say), each_commit=each_commit)
    return report


@dataclass(frozen=True, slots=True)
class _Plays:
    """What every play needs."""

    folder: Path
    server: str
    template: str
    report: CutReport
    say: Callable[[str], None]


async def _all_plays(plays: _Plays, *, each_commit: bool) -> None:
    report, say = plays.report, plays.say
    commits = await _played(plays, lambda _: None, "no-cut")
    say(f"a month has {len(commits)} commits of {len(set(commits))} kinds")
    for where in WAYS:
        for number in range(len(commits)) if each_commit else [None]:
            judge = _each_kind_once(where) if number is None else _only(number, where)
            await _played(plays, judge, f"{where}-{'each-kind' if number is None else number}")
        say(f"{report.plays} plays, {report.by_kind.total()} cuts, wrong: {len(report.wrong)}")


async def _played(plays: _Plays, judge: Judge, name: str) -> list[str]:
    """Play a month, with a judge of its commits from the first deposit on; its commits."""
    clock, report = ManualClock(MONTH.starts_s + 3600), plays.report
    async with (
        open_database(plays.server, template=plays.template) as direct,
        open_proxy(direct) as (url, proxy),
        open_scene(plays.folder / name, clock, creators=CREATORS, database=url) as scene,
    ):
        proxy.commits.clear()
        proxy.judge = judge
        play = Play(scene)
        try:
            await play.month()
        except AssertionError as error:
            report.wrong.append(f"{name}: {error}")
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
