"""Every page of the demo, found by its links: accessible, light, and nothing from another host."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import Accessible
from tests.browser.demo import Demo, open_demo
from tests.browser.tour import CONSOLE, NODE, ROWS, Seen, Tour, enter, walk

pytestmark = [pytest.mark.xdist_group("browser-demo"), pytest.mark.timeout(900)]

GZIPPED_MAX = 60 * 1024


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def demo() -> AsyncIterator[Demo]:
    async with open_demo() as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def tours(demo: Demo, browser: Browser, axe_script: str) -> dict[str, Tour]:
    """What each kind of person meets; "welcome" is a stranger."""
    guests = await enter(browser, demo)
    return {
        name: await walk(browser, guests[name], rows, axe_script) for name, rows in ROWS.items()
    }


def none(found: Iterable[str]) -> None:
    """Fail with all that was found."""
    lines = sorted(found)
    assert not lines, "\n" + "\n".join(lines)


def seen_pages(tours: dict[str, Tour]) -> Iterator[tuple[str, Seen]]:
    for name, tour in tours.items():
        for row, seen in tour.pages.items():
            yield f"{name} {row}", seen


async def test_axe_finds_nothing(tours: dict[str, Tour]) -> None:
    none(f"{where}: {one}" for where, seen in seen_pages(tours) for one in seen.wrong)


async def test_axe_finds_nothing_where_an_operator_signs_in(
    demo: Demo, page: Page, assert_accessible: Accessible
) -> None:
    parts = urlsplit(demo.links["operator"])
    await page.goto(f"{parts.scheme}://{parts.netloc}/months")
    await expect(page).to_have_url(re.compile("/sign-in"))
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        await assert_accessible(page)


async def test_no_page_asks_another_host_or_runs_what_its_policy_forbids(
    tours: dict[str, Tour],
) -> None:
    none(f"{name}: {one}" for name, tour in tours.items() for one in tour.watch.unexpected())


async def test_no_page_is_heavier_than_60_kilobytes(tours: dict[str, Tour]) -> None:
    heaviest, seen = max(seen_pages(tours), key=lambda one: one[1].gzipped)
    print(f"the heaviest page: {heaviest}, {seen.gzipped} bytes gzipped, with all that it loads")
    none(
        f"{where}: {seen.gzipped} bytes"
        for where, seen in seen_pages(tours)
        if not 0 < seen.gzipped <= GZIPPED_MAX
    )


async def test_no_page_is_wider_than_a_phone(tours: dict[str, Tour]) -> None:
    none(
        f"{where}: by {seen.wider_than_a_phone} pixels"
        for where, seen in seen_pages(tours)
        if seen.wider_than_a_phone > 0
    )


async def test_every_link_leads_somewhere(tours: dict[str, Tour]) -> None:
    none(f"{name}: {one}" for name, tour in tours.items() for one in tour.missing)


async def test_every_page_is_found_by_links(tours: dict[str, Tour]) -> None:
    met: dict[bool, set[str]] = {True: set(), False: set()}
    for name, tour in tours.items():
        met[ROWS[name] is CONSOLE] |= {*tour.pages, *tour.files}
    none(row for row in NODE if row not in met[False])
    none(row for row in CONSOLE if row not in met[True])


async def test_every_page_has_a_title_of_its_own(tours: dict[str, Tour]) -> None:
    for name, tour in tours.items():
        titles = Counter(seen.title for seen in tour.pages.values())
        none(f"{name}: {title!r} {n} times" for title, n in titles.items() if n > 1 or not title)
