"""The button on a foreign site: one click in a window of the node, and the page knows of it."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.browser.place import Place


async def test_the_button_opens_a_window_that_flattrs_and_the_page_counts(
    place: Place, page: Page
) -> None:
    alice = await place.join("alice")
    await place.enter(page, alice, "/month")
    await page.goto(f"{place.blog.url}/night-train")
    button = page.locator("flattr-button")
    async with page.expect_popup() as opening:
        await button.get_by_role("link").click()
    window = await opening.value
    print(window.url)
    print(await window.content())
    await window.get_by_role("button", name="Flattr").first.click()
    await expect(button).to_contain_text("Flattred")
    await expect(button).to_contain_text("1")
