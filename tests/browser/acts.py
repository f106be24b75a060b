"""What people do on the node's pages, as the tests' stories tell it."""

from __future__ import annotations

import asyncio
import re

from playwright.async_api import Locator, Page, expect

from node.devnet.auth_wallet import AuthWallet
from tests.browser.place import Place


async def ask_invoice(page: Page, amount_sat: str) -> str:
    """On the page of amounts: choose one; the invoice that is shown."""
    chip = page.locator(f"input[name=amount][value='{amount_sat}']")
    if await chip.count():
        await chip.check(force=True)
    else:
        await page.locator("input[name=amount][value=other]").check(force=True)
        await page.get_by_label("Another amount, in sats").fill(amount_sat)
    await page.get_by_role("button", name="Show the invoice").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Pay")
    return await page.locator("#invoice").input_value()


async def sign_in(place: Place, page: Page, wallet: AuthWallet, name: str) -> None:
    """Sign in over Lightning from the sign-in page on; a new wallet's owner takes this name."""
    await page.goto(f"{place.url}/sign-in")
    await page.get_by_role("button", name="Continue with a Lightning wallet").click()
    await wallet.sign_in(await page.locator("#lnurl").input_value())
    await join_or_go_on(page, name)


async def join_or_go_on(page: Page, name: str) -> None:
    """After a wallet has signed: choose a name, or be where one wanted to be."""
    await page.wait_for_url(lambda url: url.endswith("/month") or "/sign-in/name" in url)
    if "/sign-in/name" in page.url:
        await page.get_by_label("Your name on this node").fill(name)
        await page.get_by_role("button", name="Join").click()
        await page.wait_for_url("**/month")


async def put_into_pot(page: Page, url: str, amount_sat: int) -> None:
    """Set aside so much of what is available for this month."""
    await page.goto(f"{url}/month")
    pot = page.locator("form[action='/month/pot']")
    await pot.locator("input[name=amount]").fill(str(amount_sat))
    await pot.locator("button").click()
    await expect(pot.locator("input[name=amount]")).to_have_value(str(amount_sat))


async def pay_in(place: Place, page: Page, amount_sat: int) -> float:
    """Pay an invoice from the own wallet: after how many ms the page says that it is received."""
    await page.goto(f"{place.url}/fund")
    await page.get_by_label("Keep it available").check()
    invoice = await ask_invoice(page, str(amount_sat))
    loop = asyncio.get_running_loop()
    await place.network.readers.pay(invoice)
    paid_s = loop.time()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Received")
    return 1000 * (loop.time() - paid_s)


def button_of(page: Page) -> Locator:
    """The button of a foreign page."""
    return page.locator("flattr-button")


def count_of(page: Page) -> Locator:
    """The count on it."""
    return button_of(page).locator(".count")


async def press(page: Page) -> Page:
    """Click the button of a foreign page; the window that it opens."""
    async with page.expect_popup() as opening:
        await button_of(page).get_by_role("link").click()
    return await opening.value


async def flattr_in_window(window: Page, *, always: bool = False) -> None:
    """Press in the window; with `always`, agree to one click for this site."""
    if always:
        await window.get_by_role("checkbox", name="Next time on localhost").check()
    await expect(window.locator("[data-press]")).not_to_have_attribute("aria-disabled", "true")
    await window.locator("[data-press]").click()
    await expect(window.get_by_role("status")).to_contain_text("Flattred")


async def ask_claim(page: Page, url: str, claimed: str, what: str) -> None:
    """Begin a claim of "The whole site" or "This page alone"."""
    await page.goto(f"{url}/creator/claim")
    await page.get_by_label("Address of your site").fill(claimed)
    await page.get_by_label(what).check()
    await page.get_by_role("button", name="Next: what to put where").click()
    await page.get_by_role("button", name="Check now").wait_for()


async def claim_site(place: Place, page: Page, site: str) -> None:
    """Ask for the line, put it on the site, have the node look."""
    await ask_claim(page, place.url, site, "The whole site")
    await page.get_by_role("button", name="Check now").click()
    await expect(page.get_by_text("Your proof was not seen")).to_be_visible()
    place.blog.prove(await page.locator("#text-file").input_value())
    await page.get_by_role("button", name="Check now").click()
    await expect(page.get_by_text("The site is yours")).to_be_visible()


async def approve_month(place: Place, page: Page) -> None:
    """The operator looks at the dry run, and lets the month be closed."""
    await page.goto(await place.operators_link())
    await page.get_by_role("button", name="Sign in").click()
    await page.goto(f"{place.console.url}/months/sat/{place.clock.month}")
    await page.get_by_label("A word for the log").fill("looks right")
    await page.get_by_role("button", name="Approve the close").click()
    await expect(page.get_by_text(re.compile("Approved"))).to_be_visible()


async def reload_until(page: Page, wanted: Locator, limit_ms: float) -> None:
    """Load the page anew until it shows this."""
    shown = ""
    try:
        async with asyncio.timeout(limit_ms / 1000):
            while await wanted.count() == 0:
                shown = await page.locator("main").inner_text()
                await page.reload()
    except TimeoutError:
        raise AssertionError(f"{page.url} shows until the end: {shown}") from None
