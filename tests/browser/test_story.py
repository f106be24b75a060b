"""The whole story, in browsers: on the simulated network, and once on real lnds."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.browser.place import Place, open_place
from tests.browser.story import Pace, tell


def say(pace: Pace, where: str) -> None:
    """For the test's log."""
    print(f"on {where}: paid invoice to flipped page {pace.flip_ms:.0f} ms")
    print(f"on {where}: click to new count {pace.count_ms:.0f} ms")


async def test_the_story_on_the_simulated_network(place: Place, browser: Browser) -> None:
    say(await tell(place, browser), "the simulated network")


@pytest.mark.lnd
@pytest.mark.xdist_group("lnd")
@pytest.mark.timeout(600)
async def test_the_story_on_real_lnds(tmp_path: Path, browser: Browser) -> None:
    async with open_place(tmp_path, real=True) as place:
        say(await tell(place, browser), place.network.label)
