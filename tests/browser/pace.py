"""How soon a page follows, in the browser's own milliseconds.

A test prints the figures and asserts none of them, since a machine under load is slow for reasons
of its own; `make screenshots` compares them with what is promised.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from playwright.async_api import Browser, Locator, Page, expect

from tests.browser.acts import button_of, count_of, flattr_in_window, pay_in, press
from tests.browser.chromium import open_context
from tests.browser.place import Place

FLIP_MAX_MS = 1000
"""From the paid invoice to the page that says so."""
COUNT_MAX_MS = 300
"""From the click on a button to its new count."""

POSTS = ("/night-train", "/letter-to-my-bicycle", "/cold-kitchen-bread")
TRIES = 5


@dataclass(frozen=True)
class Pace:
    """How soon the pages followed."""

    flip_ms: float
    count_ms: float

    @property
    def words(self) -> str:
        """For a log."""
        return (
            f"paid invoice to flipped page: {self.flip_ms:.0f} ms (promised: {FLIP_MAX_MS}); "
            f"click to new count: {self.count_ms:.0f} ms (promised: {COUNT_MAX_MS})"
        )

    @property
    def is_kept(self) -> bool:
        """Whether it is what is promised."""
        return self.flip_ms <= FLIP_MAX_MS and self.count_ms <= COUNT_MAX_MS


WATCH = """(button) => {
  const root = button.shadowRoot;
  const count = root.querySelector(".count");
  const before = count.textContent;
  root.addEventListener("click", () => { button.dataset.pressed = performance.now(); }, true);
  new MutationObserver((_, watching) => {
    if (count.textContent === before || !button.dataset.pressed) return;
    button.dataset.took = performance.now() - button.dataset.pressed;
    watching.disconnect();
  }).observe(root, {subtree: true, childList: true, characterData: true});
}"""


async def watch_count(button: Locator) -> None:
    """Measure the next click on this `<flattr-button>`."""
    await button.evaluate(WATCH)


async def took_ms(button: Locator) -> float:
    """From that click to the new count, which must be there."""
    took = await button.get_attribute("data-took")
    assert took is not None, "the count has not changed since the click"
    return float(took)


async def measure(place: Place, browser: Browser) -> Pace:
    """The median of some payments and of some clicks."""
    async with open_context(browser) as context:
        page = await context.new_page()
        await place.enter(page, await place.join("alice"), "/month")
        flips = [await pay_in(place, page, 1000) for _ in range(TRIES)]
        await page.goto(place.blog.url + POSTS[0])
        window = await press(page)
        await flattr_in_window(window, always=True)
        await _undo(page, window)
        clicks = [await _click(place, page, POSTS[number % 3]) for number in range(TRIES)]
    return Pace(median(flips), median(clicks))


async def _click(place: Place, page: Page, post: str) -> float:
    """One click by consent on a post that is not flattred; it is undone then."""
    await page.goto(place.blog.url + post)
    await expect(count_of(page)).not_to_be_empty()
    await watch_count(button_of(page))
    window = await press(page)
    await expect(button_of(page)).to_contain_text("Flattred")
    took = await took_ms(button_of(page))
    await _undo(page, window)
    return took


async def _undo(page: Page, window: Page) -> None:
    await window.get_by_role("button", name="Undo").click()
    await expect(button_of(page)).not_to_contain_text("Flattred")
    await window.close()
