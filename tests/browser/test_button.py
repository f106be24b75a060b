"""The button on a foreign site: the node's window flattrs, and the foreign page knows of it."""

from __future__ import annotations

from playwright.async_api import Page, expect

from node.flows.fold import fold
from node.store import things
from tests.browser.acts import button_of, count_of, flattr_in_window, press
from tests.browser.chromium import Watch
from tests.browser.conftest import Accessible
from tests.browser.pace import took_ms, watch_count
from tests.browser.place import Place

FIRST, SECOND, THIRD = "/night-train", "/letter-to-my-bicycle", "/cold-kitchen-bread"


async def alice_reads(place: Place, page: Page, post: str) -> None:
    """Alice, signed in at the node, reads a post."""
    await place.enter(page, await place.join("alice"), "/month")
    await page.goto(place.blog.url + post)


async def counted(place: Place, post: str) -> int:
    """How many flattrs the books have of a post this month."""
    await fold(place.node.store, place.clock)
    async with place.node.store.read() as tx:
        thing = await things.by_url(tx, place.blog.url + post)
        counts = {} if thing is None else await things.counts_of(tx, thing.id)
    return counts.get(place.clock.month, 0)


async def test_a_press_in_the_window_flattrs_and_the_page_knows(
    place: Place, page: Page, assert_accessible: Accessible
) -> None:
    await alice_reads(place, page, FIRST)
    await assert_accessible(page)
    window = await press(page)
    await assert_accessible(window)
    assert await counted(place, FIRST) == 0  # to look is no click
    await flattr_in_window(window)
    await expect(button_of(page)).to_contain_text("Flattred")
    await expect(count_of(page)).to_have_text("1")
    await assert_accessible(window)
    assert await counted(place, FIRST) == 1
    await window.get_by_role("button", name="Undo").click()
    await expect(count_of(page)).to_have_text("0")
    await expect(button_of(page)).not_to_contain_text("Flattred")
    assert await counted(place, FIRST) == 0


async def test_after_a_consent_one_click_is_enough(place: Place, page: Page) -> None:
    await alice_reads(place, page, FIRST)
    await flattr_in_window(window := await press(page), always=True)
    await window.close()
    await page.goto(place.blog.url + SECOND)
    await expect(count_of(page)).to_have_text("0")
    await watch_count(button_of(page))
    await press(page)
    await expect(count_of(page)).to_have_text("1")
    print(f"click to new count: {await took_ms(button_of(page)):.0f} ms")
    assert await counted(place, SECOND) == 1


async def test_a_consent_for_one_site_is_none_for_another(place: Place, page: Page) -> None:
    await alice_reads(place, page, FIRST)
    await flattr_in_window(window := await press(page), always=True)
    await window.close()
    other = place.blog.url.replace("localhost", "127.0.0.1")
    await page.goto(f"{other}{THIRD}")  # the same pages under another host, naming localhost
    window = await press(page)
    await expect(window.locator("[data-press]")).not_to_have_attribute("aria-disabled", "true")
    assert await counted(place, THIRD) == 0


async def test_a_page_that_opens_the_window_by_itself_flattrs_nothing(
    place: Place, page: Page
) -> None:
    """A script that opens it is no press of a person, whatever was agreed to."""
    await alice_reads(place, page, FIRST)
    await flattr_in_window(window := await press(page), always=True)
    await window.close()
    await page.goto(place.blog.url + THIRD)
    devtools = await page.context.new_cdp_session(page)
    leave = "location.href = document.querySelector('link[rel=payment]').href"
    await devtools.send("Runtime.evaluate", {"expression": leave, "userGesture": False})
    await expect(page.locator("[data-press]")).not_to_have_attribute("aria-disabled", "true")
    assert await counted(place, THIRD) == 0


async def test_a_stranger_is_asked_to_sign_in_and_nothing_is_counted(
    place: Place, page: Page, assert_accessible: Accessible
) -> None:
    await page.goto(place.blog.url + FIRST)
    window = await press(page)
    await expect(window.get_by_role("button", name="Sign in to flattr")).to_be_visible()
    await assert_accessible(window)
    assert await counted(place, FIRST) == 0


async def test_the_window_is_shown_in_no_frame(place: Place, page: Page, watch: Watch) -> None:
    await alice_reads(place, page, FIRST)
    watch.expect("frame-ancestors")
    link = await page.locator("link[rel=payment]").get_attribute("href")
    await page.goto("about:blank")
    await page.evaluate(
        "url => document.body.append(Object.assign(document.createElement('iframe'), {src: url}))",
        link,
    )
    frame = page.frames[1]
    await frame.wait_for_load_state()
    assert await frame.locator("form").count() == 0
    assert await counted(place, FIRST) == 0
