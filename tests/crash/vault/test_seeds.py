"""A sample of the stablecoin's seeds, and of its guards taken away; the rest is `make crash`."""

from __future__ import annotations

import pytest

from tests.crash import seeds
from tests.crash.vault.mutants import MUTANTS

SEEDS = range(6)
SEEDS_A_MUTANT = 100
SAMPLED = sorted(MUTANTS)


@pytest.mark.parametrize("seed", SEEDS)
def test_nobody_is_paid_twice_and_nothing_is_lost(seed):
    report = seeds.run_seed("vault", seed)
    assert report.breaches == [], "\n".join(report.lines[-30:])
    assert report.faults.total() >= 3
    assert report.ends["paid"] > 0


def test_a_seed_is_the_same_story_each_time():
    first, second = (seeds.run_seed("vault", 3) for _ in range(2))
    assert (first.trace, first.received, first.faults) == (
        second.trace, second.received, second.faults,
    )  # fmt: skip


@pytest.mark.parametrize("name", SAMPLED)
def test_a_guard_taken_away_is_seen(name):
    tried = MUTANTS[name].from_sample(SEEDS_A_MUTANT)
    assert seeds.first_caught("vault", name, tried) is not None
