"""Money in, as a reader does it: an amount, the invoice, and the page that flips by itself."""

from __future__ import annotations

import asyncio

from playwright.async_api import BrowserContext, Page, expect

from tests.browser.acts import ask_invoice
from tests.browser.conftest import Accessible
from tests.browser.place import Place


async def test_the_page_flips_by_itself_when_the_invoice_is_paid(
    place: Place, page: Page, assert_accessible: Accessible
) -> None:
    alice = await place.join("alice")
    await place.enter(page, alice, "/fund")
    invoice = await ask_invoice(page, "5000")
    await assert_accessible(page)
    asked_s = asyncio.get_running_loop().time()
    await place.network.readers.pay(invoice)
    paid_s = asyncio.get_running_loop().time()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Received")
    flipped_s = asyncio.get_running_loop().time()
    print(f"paid invoice to flipped page: {1000 * (flipped_s - paid_s):.0f} ms")
    print(f"paying it and the flip: {1000 * (flipped_s - asked_s):.0f} ms")
    await assert_accessible(page)


async def test_nothing_flips_for_another_invoice(
    place: Place, context: BrowserContext, page: Page
) -> None:
    alice = await place.join("alice")
    await place.enter(page, alice, "/fund")
    waiting = await context.new_page()
    await waiting.goto(f"{place.url}/fund")
    await ask_invoice(waiting, "1000")
    await place.network.readers.pay(await ask_invoice(page, "5000"))
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Received")
    await expect(waiting.get_by_role("heading", level=1)).to_contain_text("Pay")
