"""The whole story, in browsers: on the simulated network, and once on real lnds."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.browser.place import Place, open_place
from tests.browser.story import tell


async def test_the_story_on_the_simulated_network(place: Place, browser: Browser) -> None:
    print((await tell(place, browser)).words)


@pytest.mark.lnd
@pytest.mark.xdist_group("lnd")
@pytest.mark.timeout(600)
async def test_the_story_on_real_lnds(tmp_path: Path, browser: Browser) -> None:
    async with open_place(tmp_path, real=True) as place:
        print(f"on {place.network.label}: {(await tell(place, browser)).words}")
