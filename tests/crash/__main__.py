"""`make crash`: many seeds, and every guard taken away once; a table at the end.

    python -m tests.crash --seeds 10000                            all worlds, and the mutants
    python -m tests.crash --world lightning --from 4711 --seeds 1  one seed again, with its trace
    python -m tests.crash --world lightning --mutant NAME          one mutant

Exits with 1 when a seed has failed or a mutant was not caught.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from typing import Final

from tests.crash import seeds, worlds
from tests.crash.printing import Total, failed_lines, mutant_lines, progress_line, total_lines

PROGRESS_EVERY_S: Final = 10.0
FAILURES_SHOWN: Final = 10


def main() -> int:
    """Run what the arguments say; the exit status."""
    asked = _arguments()
    chosen = worlds.names() if asked.world == "all" else [asked.world]
    status = 0
    for world in chosen:
        if asked.mutant:
            status |= _one_mutant(world, asked)
            continue
        status |= _all_seeds(world, asked)
        if asked.seeds > 1 and not asked.no_mutants:
            status |= _all_mutants(world, asked)
    return status


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first seed")
    parser.add_argument("--world", default="all", choices=["all", *worlds.names()])
    parser.add_argument("--mutant", default="", help="take this guard away")
    parser.add_argument("--no-mutants", action="store_true", help="only the seeds")
    parser.add_argument("--seconds", type=float, default=0, help="stop after so long; 0: don't")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    return parser.parse_args()


def _all_seeds(world: str, asked: argparse.Namespace) -> int:
    total = Total(world)
    began_s = said_s = time.monotonic()
    if asked.seeds == 1:
        reports = (seeds.run_seed(world, seed, lines=True) for seed in [asked.first])
    else:
        reports = seeds.run_all(world, asked.first, asked.seeds, asked.processes)
    for report in reports:
        total.add(report)
        if asked.seeds == 1:
            _say(*report.lines)
        if report.breaches and len(total.failed) <= FAILURES_SHOWN:
            _say(*failed_lines(report))
        if time.monotonic() - said_s > PROGRESS_EVERY_S:
            said_s = time.monotonic()
            _say(progress_line(total, asked.seeds, said_s - began_s))
        if asked.seconds and time.monotonic() - began_s > asked.seconds:
            reports.close()
            break
    _say(*total_lines(total, time.monotonic() - began_s, asked.processes))
    return int(bool(total.failed))


def _all_mutants(world: str, asked: argparse.Namespace) -> int:
    caught = {}
    for name, found in seeds.hunt(world, asked.first, asked.processes):
        caught[name] = found
        _say(f"  {world}: mutant {name}: {'NOT CAUGHT' if found is None else 'caught'}")
    _say(*mutant_lines(world, worlds.load(world).mutants, caught))
    return int(None in caught.values())


def _one_mutant(world: str, asked: argparse.Namespace) -> int:
    mutants = worlds.load(world).mutants
    if asked.mutant not in mutants:
        return 0
    of = range(asked.first, asked.first + mutants[asked.mutant].seeds_max)
    found = seeds.first_caught(world, asked.mutant, of)
    _say(*mutant_lines(world, {asked.mutant: mutants[asked.mutant]}, {asked.mutant: found}))
    return int(found is None)


def _say(*lines: str) -> None:
    for line in lines:
        sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
