"""Seeds are run: one after another in a process, ranges of them in several."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import warnings
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from typing import Final

import pytest
import structlog

from tests.crash import worlds
from tests.crash.loop import Deadlock, SeedStuck, run_virtual, seeded_secrets
from tests.crash.report import LINES_KEPT, Report

CHUNK: Final = 25
WAITS: Final = "waits:"
"""How a breach begins that is no danger to money."""
SILENT: Final = logging.CRITICAL
"""Nothing of the node is said so loud."""


def run_seed(world: str, seed: int, mutant: str = "", *, lines: bool = False) -> Report:
    """One seed of a world, with one guard taken away if `mutant` names it."""
    loaded = worlds.load(world)
    loaded.prepare()
    with ExitStack() as stack:
        stack.enter_context(quiet())
        stack.enter_context(seeded_secrets(seed))
        if mutant:
            patch = stack.enter_context(pytest.MonkeyPatch.context())
            loaded.mutants[mutant].patch(patch)
        try:
            report = run_virtual(loaded.run(seed))
        except (Deadlock, SeedStuck) as error:
            report = Report(world, seed, breaches=[f"waits: {error}"])
    report.lines = report.lines[-LINES_KEPT:] if lines or report.breaches else []
    return report


def first_caught(world: str, mutant: str, seeds: Iterable[int]) -> tuple[int, str] | None:
    """After how many seeds a mutant is caught, and by what; None: by none of them.

    Only money counts: that it made somebody wait is not enough.
    """
    worth = worlds.load(world).mutants[mutant].worth
    for number, seed in enumerate(seeds, start=1):
        if not worth(seed):
            continue
        for breach in run_seed(world, seed, mutant).breaches:
            if not breach.startswith(WAITS):
                return number, breach
    return None


def run_chunk(world: str, seeds: Iterable[int]) -> list[Report]:
    """Some seeds in this process."""
    reports = [run_seed(world, seed) for seed in seeds]
    gc.collect()
    return reports


def run_all(world: str, first: int, count: int, processes: int) -> Iterator[Report]:
    """So many seeds from the first, in several processes, as they are done."""
    chunks = [
        range(start, min(start + CHUNK, first + count))
        for start in range(first, first + count, CHUNK)
    ]
    with _pool(processes) as pool:
        running = [pool.submit(run_chunk, world, chunk) for chunk in chunks]
        for done in as_completed(running):
            yield from done.result()


def hunt(world: str, first: int, processes: int) -> Iterator[tuple[str, tuple[int, str] | None]]:
    """Each mutant, and when it was caught, as they are done."""
    with _pool(processes) as pool:
        running = {
            pool.submit(first_caught, world, name, range(first, first + one.seeds_max)): name
            for name, one in worlds.load(world).mutants.items()
        }
        for done in as_completed(running):
            yield running[done], done.result()


@contextmanager
def quiet() -> Iterator[None]:
    """No logs and no warnings: killed processes leave their connections open, as they should."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(SILENT))
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)
        structlog.configure(**before)


def _pool(processes: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn"))
