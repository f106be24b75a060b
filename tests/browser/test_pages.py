"""Every page of the demo, found by its links: accessible, light, and nothing from another host."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.browser.demo import Demo, open_demo
from tests.browser.tour import CONSOLE, NODE, ROWS, Tour, enter, walk

pytestmark = pytest.mark.xdist_group("browser-demo")

GZIPPED_MAX = 60 * 1024


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def demo() -> AsyncIterator[Demo]:
    async with open_demo() as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def tours(demo: Demo, browser: Browser, axe_script: str) -> dict[str, Tour]:
    """What each kind of person meets; "welcome" is a stranger."""
    return {
        name: await walk(browser, await enter(browser, demo.links[name]), rows, axe_script)
        for name, rows in ROWS.items()
    }


def told(tours: dict[str, Tour], what: str) -> list[str]:
    return [
        f"{name} at {row}: {one}"
        for name, tour in tours.items()
        for row, seen in tour.pages.items()
        for one in getattr(seen, what)
    ]


async def test_axe_finds_nothing(tours: dict[str, Tour]) -> None:
    assert told(tours, "wrong") == []


async def test_no_page_asks_another_host_or_runs_what_its_policy_forbids(
    tours: dict[str, Tour],
) -> None:
    assert {name: tour.watch.unexpected() for name, tour in tours.items()} == {
        name: [] for name in tours
    }


async def test_no_page_is_heavier_than_60_kilobytes(tours: dict[str, Tour]) -> None:
    sizes = {
        f"{name} {row}": seen.gzipped
        for name, tour in tours.items()
        for row, seen in tour.pages.items()
    }
    print(f"heaviest: {max(sizes.items(), key=lambda one: one[1])}")
    assert {what: size for what, size in sizes.items() if not 0 < size <= GZIPPED_MAX} == {}


async def test_no_page_is_wider_than_a_phone(tours: dict[str, Tour]) -> None:
    wide = {
        f"{name} {row}": seen.wider_than_a_phone
        for name, tour in tours.items()
        for row, seen in tour.pages.items()
        if seen.wider_than_a_phone > 0
    }
    assert wide == {}


async def test_every_link_leads_somewhere(tours: dict[str, Tour]) -> None:
    assert {name: tour.missing for name, tour in tours.items()} == {name: [] for name in tours}


async def test_every_page_is_found_by_links(tours: dict[str, Tour]) -> None:
    met = {
        (where, row)
        for name, tour in tours.items()
        for row in (*tour.pages, *tour.files)
        for where in [ROWS[name] is CONSOLE]
    }
    assert [row for row in NODE if (False, row) not in met] == []
    assert [row for row in CONSOLE if (True, row) not in met] == []


async def test_every_page_has_a_title_of_its_own(tours: dict[str, Tour]) -> None:
    for tour in tours.values():
        titles = [seen.title for seen in tour.pages.values()]
        assert all(titles)
        assert len(set(titles)) == len(titles), titles
