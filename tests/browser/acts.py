"""What people do on the node's pages, as the tests' stories tell it."""

from __future__ import annotations

from playwright.async_api import Page, expect

from node.devnet.auth_wallet import AuthWallet
from tests.browser.place import Place


async def ask_invoice(page: Page, amount_sat: str) -> str:
    """On the page of amounts: choose one; the invoice that is shown."""
    await page.locator(f"input[name=amount][value='{amount_sat}']").check(force=True)
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
