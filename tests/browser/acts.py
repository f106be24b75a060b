"""What people do on the node's pages, as the tests' stories tell it."""

from __future__ import annotations

from playwright.async_api import Page, expect


async def ask_invoice(page: Page, amount_sat: str) -> str:
    """On the page of amounts: choose one; the invoice that is shown."""
    await page.locator(f"input[name=amount][value='{amount_sat}']").check(force=True)
    await page.get_by_role("button", name="Show the invoice").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Pay")
    return await page.locator("#invoice").input_value()
