"""Every page of the demo as a picture, in both colour schemes and two widths; and their pace.

`python -m tests.browser.screenshots [folder]` (`make screenshots`) writes
docs/screenshots/<page>-<how>.png anew: light or dark, 390 or 1280 pixels wide. The pages are found
by their links, as the tests find them. It ends with how fast the pages follow, and with status 1 if
that is slower than promised.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path

from playwright.async_api import Browser, Page

from tests.browser.chromium import open_browser, open_watched
from tests.browser.demo import open_demo
from tests.browser.pace import measure
from tests.browser.place import open_place
from tests.browser.small_png import shrink
from tests.browser.tour import NODE, ROWS, Guest, Tour, enter, walk

FOLDER = Path(__file__).parent.parent.parent / "docs" / "screenshots"
SCHEMES = ("light", "dark")
WIDTHS = {390: 844, 1280: 800}
HEIGHT_MAX = 2400


async def main(folder: Path) -> bool:
    """Start the demo, walk, take pictures, measure; whether the pages are as fast as promised."""
    _empty(folder)
    async with open_demo() as demo, open_browser() as browser:
        guests = await enter(browser, demo)
        tours = {one: await walk(browser, guest, ROWS[one], "") for one, guest in guests.items()}
        for person, guest in guests.items():
            urls = {_name(person, row): url for row, url in _shown_by(person, tours)}
            await _take(browser, guest, urls, folder)
    print(_weighed(folder))
    with tempfile.TemporaryDirectory() as temporary:
        async with open_place(Path(temporary)) as place, open_browser() as browser:
            pace = await measure(place, browser, Path(temporary) / "profile")
    print(pace.words)
    return pace.is_kept


def _shown_by(person: str, tours: Mapping[str, Tour]) -> Iterator[tuple[str, str]]:
    """The pages that are shown as this person sees them: each page once, as whom it is for."""
    for row, seen in tours[person].pages.items():
        public = row in tours["welcome"].pages and person != "welcome"
        creators = row.startswith("/creator/") or row == "/creator"
        elsewhere = public or creators != (person == "creator")
        if ROWS[person] is not NODE or person == "welcome" or not elsewhere:
            yield row, seen.url


async def _take(browser: Browser, guest: Guest, urls: Mapping[str, str], folder: Path) -> None:
    async with open_watched(browser, storage_state=guest.state) as (context, _):
        page, easel = await context.new_page(), await context.new_page()
        for (name, url), scheme, width in product(urls.items(), SCHEMES, WIDTHS):
            await page.emulate_media(color_scheme=scheme)
            await page.set_viewport_size({"width": width, "height": WIDTHS[width]})
            await page.goto(url)
            picture = await shrink(easel, await _shot(page, width))
            (folder / f"{name}-{scheme}-{width}.png").write_bytes(picture)


async def _shot(page: Page, width: int) -> bytes:
    height = int(await page.evaluate("document.documentElement.scrollHeight"))
    clip = {"x": 0, "y": 0, "width": width, "height": min(height, HEIGHT_MAX)}
    return await page.screenshot(full_page=True, clip=clip, animations="disabled")


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _weighed(folder: Path) -> str:
    sizes = [path.stat().st_size for path in folder.iterdir()]
    return f"{len(sizes)} screenshots, {sum(sizes) / 1e6:.1f} MB, in {folder}"


def _name(person: str, row: str) -> str:
    """`/months/{month}` as `months-month`; pages that are not the node's with their place."""
    words = [] if set(ROWS[person]) <= set(NODE) else [person]
    return "-".join([*words, *re.findall(r"[a-z]+", row)]) or "welcome"


if __name__ == "__main__":
    kept = asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER))
    sys.exit(0 if kept else 1)
