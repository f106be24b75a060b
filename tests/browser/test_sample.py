"""The first page's sample of the button: looked at, tried, and known to nobody else."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.browser.acts import button_of
from tests.browser.axe_core import violations
from tests.browser.chromium import Watch, open_context
from tests.browser.place import Place

SAID = {
    "en": ("a sample", "This one is a sample and counts nothing."),
    "de": ("ein Muster", "Dieser hier ist ein Muster und zählt nichts."),
    "fr": ("un exemple", "Celui-ci est un exemple et ne compte rien."),
}
SCREENS = ((390, 844), (1280, 800))
LOOK = """of => [".all", ".face", ".word", ".count", "svg"].map(name => {
    const shown = getComputedStyle(of.shadowRoot.querySelector(name));
    const kinds = ["background-color", "font", "border-width", "border-radius", "padding",
        "margin", "height", "display", "text-decoration-line", "letter-spacing"];
    if (name !== ".all") kinds.push("color");
    return kinds.map(kind => `${name} ${kind}: ${shown.getPropertyValue(kind)}`);
}).flat()"""
FOCUSED = "of => of.getRootNode().activeElement === of"


def sample_of(page: Page) -> Locator:
    """The sample, as a reader of screens finds it."""
    return page.locator("flattr-button[sample]").get_by_role("button")


async def expect_shown(page: Page, pressed: str, word: str, count: str) -> None:
    """What eyes and ears get of it."""
    await expect(sample_of(page)).to_have_attribute("aria-pressed", pressed)
    await expect(page.locator("flattr-button .word")).to_have_text(word)
    await expect(page.locator("flattr-button .count")).to_have_text(count)


async def test_a_click_shows_what_a_click_does_and_asks_nobody(
    place: Place, page: Page, watch: Watch
) -> None:
    await page.goto(place.url)
    await expect_shown(page, "false", "Flattr", "41")
    await page.wait_for_load_state("networkidle")
    asked = len(watch.requests)
    for _ in range(2):
        await sample_of(page).click()
        await expect_shown(page, "true", "Flattred", "42")
        await sample_of(page).click()
        await expect_shown(page, "false", "Flattr", "41")
    await page.evaluate("document.querySelector('flattr-button').title = 'Another title'")
    await page.evaluate("fetch('/mark')")  # whatever was asked for before is seen before this
    watch.expect("/mark")
    assert watch.requests[asked:] == [f"GET {place.url}/mark"]
    assert not [one for one in watch.requests if re.search("/count|/click|badge", one)]
    assert len(page.context.pages) == 1


async def test_the_keyboard_reaches_it_and_presses_it(place: Place, page: Page) -> None:
    await page.goto(place.url)
    name = re.compile(r"^Flattr ?41 ?: a sample$")
    sample = page.get_by_role("button", name=name)
    await expect(sample).to_have_count(1)
    for _ in range(30):
        await page.keyboard.press("Tab")
        if await sample.evaluate(FOCUSED):
            break
    await page.keyboard.press("Enter")
    await expect_shown(page, "true", "Flattred", "42")
    await page.keyboard.press("Space")
    await expect_shown(page, "false", "Flattr", "41")


async def test_it_looks_as_the_button_on_a_blog_does(place: Place, page: Page) -> None:
    await page.goto(f"{place.blog.url}/night-train")
    await expect(button_of(page).locator(".count")).to_have_text("0")
    there = await button_of(page).evaluate(LOOK)
    await page.goto(place.url)
    await expect_shown(page, "false", "Flattr", "41")
    assert await button_of(page).evaluate(LOOK) == there


@pytest.mark.parametrize("language", SAID)
async def test_the_first_screen_has_it_in_every_language_and_scheme(
    place: Place, browser: Browser, axe_script: str, language: str
) -> None:
    name, line = SAID[language]
    async with open_context(browser, locale=language) as context:
        page = await context.new_page()
        for width, height in SCREENS:
            await page.set_viewport_size({"width": width, "height": height})
            await page.goto(place.url)
            await expect(sample_of(page)).to_have_accessible_name(re.compile(name))
            await expect(page.get_by_text(line)).to_be_in_viewport(ratio=1)
            await expect(sample_of(page)).to_be_in_viewport(ratio=1)
            await sample_of(page).click()
            for scheme in ("light", "dark"):
                await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # two words
                assert await violations(page, axe_script) == [], (width, scheme)


@pytest.mark.parametrize("language", SAID)
async def test_without_scripts_it_is_a_badge_with_the_same_line(
    place: Place, browser: Browser, language: str
) -> None:
    async with open_context(browser, locale=language, java_script_enabled=False) as context:
        page = await context.new_page()
        await page.goto(place.url)
        badge = page.get_by_role("img", name=re.compile(SAID[language][0]))
        await expect(badge).to_be_visible()
        await expect(page.get_by_text(SAID[language][1])).to_be_visible()
        box = await badge.bounding_box()
        assert box is not None
        assert (box["width"], box["height"]) == (84, 20)
