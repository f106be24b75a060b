"""What `make crash` prints: progress, each failure with its replay, the totals, the mutants."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from tests.crash.report import Mutant, Report

TWICE: Final = "paid twice"
LOST: Final = "lost"
LINES_SHOWN: Final = 25


@dataclass
class Total:
    """The sum over all seeds of a world."""

    world: str
    seeds: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    breaches: Counter[str] = field(default_factory=Counter)
    failed: list[int] = field(default_factory=list)
    virtual_s: float = 0.0
    faults_least: int = 10**9

    def add(self, report: Report) -> None:
        """One seed more."""
        self.seeds += 1
        self.faults += report.faults
        self.ends += report.ends
        self.virtual_s += report.virtual_s
        self.faults_least = min(self.faults_least, report.faults.total())
        self.breaches.update(words.partition(":")[0] for words in report.breaches)
        if report.breaches:
            self.failed.append(report.seed)


def progress_line(total: Total, of: int, seconds: float) -> str:
    """How far it is."""
    return (
        f"  {total.world}: {total.seeds:,} of {of:,} seeds in {seconds:.0f} s,"
        f" {total.faults.total():,} faults, {len(total.failed)} seeds failed"
    )


def failed_lines(report: Report) -> list[str]:
    """A failure: what is wrong, the end of its trace, and the command that replays it."""
    return [
        f"{report.world}: seed {report.seed} FAILED",
        *(f"    {words}" for words in report.breaches),
        *(f"      {line}" for line in report.lines[-LINES_SHOWN:]),
        f"    replay: {replay(report.world, report.seed)}",
    ]


def replay(world: str, seed: int) -> str:
    """The command that runs this seed again, with its trace."""
    return f"python -m tests.crash --world {world} --from {seed} --seeds 1"


def total_lines(total: Total, seconds: float, processes: int) -> list[str]:
    """The table of a world."""
    rate = total.seeds / seconds if seconds else 0.0
    years = total.virtual_s / (365 * 86_400)
    head = (
        f"{total.world}: {total.seeds:,} seeds in {seconds:.1f} s with {processes} processes"
        f" ({rate:.1f} a second); {years:,.1f} years of virtual time"
    )
    twice, lost = total.breaches.pop(TWICE, 0), total.breaches.pop(LOST, 0)
    lines = [
        "",
        head,
        f"  faults that struck: {total.faults.total():,}, at least {total.faults_least} a seed",
        *_rows(total.faults),
        "  how payouts and deposits ended",
        *_rows(total.ends),
        f"  paid twice {twice}, lost {lost}, other breaches {total.breaches.total()}",
        *_rows(total.breaches),
    ]
    if total.failed:
        lines.append(f"  {len(total.failed)} seeds failed: {total.failed[:20]}")
        lines.append(f"  replay the first: {replay(total.world, min(total.failed))}")
    return lines


def mutant_lines(
    world: str, mutants: Mapping[str, Mutant], caught: Mapping[str, tuple[int, str] | None]
) -> list[str]:
    """The table of mutants: after how many seeds each was caught, and by what."""
    width = max((len(name) for name in mutants), default=0)
    lines = ["", f"{world}: mutants, each a guard taken away"]
    for name, mutant in mutants.items():
        found = caught.get(name)
        if found is None:
            lines.append(f"    {name:{width}}  NOT CAUGHT within {mutant.seeds_max} seeds")
        else:
            lines.append(f"    {name:{width}}  after {found[0]:>4} seeds  {found[1][:80]}")
    return lines


def _rows(counts: Counter[str]) -> list[str]:
    return [f"    {name:32} {count:>10,}" for name, count in sorted(counts.items())]
