"""Every month that is written as text, on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.clock import ManualClock
from node.store.engine import Store
from tests.scenarios.runner import read_scenario, run
from tests.world import open_world

FILES = sorted(Path(__file__).parent.glob("*.txt"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
async def test_a_month_goes_as_it_is_written(path: Path, store: Store, clock: ManualClock) -> None:
    async with open_world(store, clock) as world:
        await run(world, read_scenario(path))


def test_every_title_says_something_else() -> None:
    titles = [read_scenario(path).title for path in FILES]
    assert len(set(titles)) == len(titles) > 0
