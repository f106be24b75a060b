"""A sample of `make crash`: some seeds, every mutant, and that a seed is the same each time."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import ClassVar

import bech32
import pytest

from tests.crash import seeds, worlds
from tests.crash.lightning.network import polymod
from tests.crash.loop import Deadlock, run_virtual
from tests.crash.mutants import LIGHTNING
from tests.crash.report import Report

ROOT = Path(__file__).parents[2]
SEEDS = 60
PARTS = 4
SEEDS_A_MUTANT = 200
REPLAYED = 7


@pytest.mark.parametrize("part", range(PARTS))
def test_nothing_is_paid_twice_and_nothing_is_lost(part):
    reports = [seeds.run_seed("lightning", seed) for seed in range(part, SEEDS, PARTS)]
    assert [(one.seed, one.breaches) for one in reports if one.breaches] == []
    assert min(one.faults.total() for one in reports) >= 3
    assert sum(one.ends["creator paid"] for one in reports) > len(reports)
    assert all(sum(one.received.values()) > 0 for one in reports if one.ends["creator paid"])


SAMPLED = [name for name, one in LIGHTNING.items() if one.sample is not None]


@pytest.mark.parametrize("name", SAMPLED)
def test_without_a_guard_money_is_lost_and_it_is_seen(name):
    tried = LIGHTNING[name].from_sample(SEEDS_A_MUTANT)
    assert seeds.first_caught("lightning", name, tried) is not None


def test_a_seed_is_the_same_in_every_process():
    here = seeds.run_seed("lightning", REPLAYED)
    assert (again := seeds.run_seed("lightning", REPLAYED)).trace == here.trace
    assert again.lines == []
    assert _elsewhere(REPLAYED) == here.trace
    assert seeds.run_seed("lightning", REPLAYED + 1).trace != here.trace


def _elsewhere(seed: int) -> str:
    """The trace's hash in a process whose sets of texts have another order."""
    script = f"from tests.crash.seeds import run_seed; print(run_seed('lightning', {seed}).trace)"
    variables = {**os.environ, "PYTHONHASHSEED": "4711"}
    command = [sys.executable, "-c", script]
    ran = subprocess.run(
        command, cwd=ROOT, env=variables, check=True, capture_output=True, text=True
    )
    return ran.stdout.strip()


def test_a_wait_takes_no_time_and_ends_in_order():
    async def wait() -> tuple[list[int], float]:
        ended: list[int] = []

        async def sleeper(days: int) -> None:
            await asyncio.sleep(days * 86_400)
            ended.append(days)

        await asyncio.gather(*(sleeper(days) for days in (3, 1, 2)))
        return ended, asyncio.get_running_loop().time()

    assert run_virtual(wait()) == ([1, 2, 3], 3 * 86_400)


def test_who_waits_for_nothing_is_told_so():
    with pytest.raises(Deadlock):
        run_virtual(asyncio.Event().wait())


def test_the_quick_checksum_is_bech32_s():
    random = Random(1)
    for length in (1, 8, 300):
        values = [random.randrange(32) for _ in range(length)]
        assert polymod(values) == bech32.bech32_polymod(values)


def test_a_world_that_hangs_is_a_failed_seed(monkeypatch):
    class Hanging:
        name = "hanging"
        mutants: ClassVar[dict[str, object]] = {}

        def prepare(self) -> None:
            """Nothing to make."""

        async def run(self, seed: int) -> Report:
            await asyncio.Event().wait()
            return Report(self.name, seed)

    monkeypatch.setattr(worlds, "load", lambda _: Hanging())
    (breach,) = seeds.run_seed("hanging", 1).breaches
    assert breach.startswith("waits: all wait for nothing")
