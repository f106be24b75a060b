"""With JavaScript switched off, every form works: the same people, the same pages, more clicks."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from node.devnet.auth_wallet import AuthWallet
from tests.browser.acts import ask_invoice, join_or_go_on, put_into_pot
from tests.browser.chromium import open_watched
from tests.browser.place import CREATOR, Place
from tests.browser.wallets import EthereumWallet, NostrWallet

POST = "/cold-kitchen-bread"


@pytest_asyncio.fixture(loop_scope="session")
async def plain(browser: Browser) -> AsyncIterator[Page]:
    """A tab in which no script runs."""
    async with open_watched(browser, java_script_enabled=False) as (context, watch):
        watch.expect(r"status of 400 .*/creator/target")  # what is typed wrongly there
        yield await context.new_page()
    watch.demand_clean()


async def sign_in(place: Place, page: Page, name: str) -> None:
    await page.goto(f"{place.url}/sign-in/lightning")
    await AuthWallet(name).sign_in(await page.locator("#lnurl").input_value())
    await page.get_by_role("button", name="I have signed").click()
    await join_or_go_on(page, name)


async def pay_in(place: Place, page: Page, amount_sat: int) -> None:
    await page.goto(f"{place.url}/fund")
    await page.get_by_label("Keep it available").check()
    invoice = await ask_invoice(page, str(amount_sat))
    await place.network.readers.pay(invoice)
    await page.get_by_role("link", name="Look now").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Received")


async def test_no_script_runs_here(place: Place, plain: Page) -> None:
    await plain.goto(place.blog.url + POST)
    assert await plain.locator("flattr-button .count").count() == 0  # it is not drawn
    await expect(plain.get_by_role("link", name="Flattr this")).to_be_visible()


async def test_a_reader_needs_no_script(place: Place, plain: Page) -> None:
    await sign_in(place, plain, "alice")
    await pay_in(place, plain, 5000)
    await put_into_pot(plain, place.url, 4000)
    await _flattr_on_the_blog(place, plain)
    await _month(place, plain)
    await _withdraw(place, plain)
    await plain.goto(f"{place.url}/settings")
    await plain.locator("main button[lang=de]").click()
    await expect(plain.locator("html")).to_have_attribute("lang", "de")
    await plain.goto(f"{place.url}/sign-out")
    await plain.locator("main form[action='/sign-out'] button").click()
    await plain.goto(f"{place.url}/month")
    await expect(plain).to_have_url(f"{place.url}/sign-in?next=%2Fmonth")


async def _flattr_on_the_blog(place: Place, page: Page) -> None:
    await page.goto(place.blog.url + POST)
    await page.get_by_role("link", name="Flattr this").click()
    await page.locator("[data-press]").click()
    await expect(page.get_by_role("status")).to_contain_text("Flattred")
    await page.get_by_role("button", name="Undo").click()
    await page.get_by_role("checkbox", name="Next time on localhost").check()
    await page.locator("[data-press]").click()
    await expect(page.get_by_role("status")).to_contain_text("Flattred")
    await page.get_by_role("button", name="3 months").click()
    await expect(page.get_by_text("Repeats each month until")).to_be_visible()
    await page.get_by_role("button", name="Stop repeating").click()
    await page.get_by_role("button", name="Ask me again").click()
    await expect(page.get_by_role("button", name="Ask me again")).to_have_count(0)


async def _month(place: Place, page: Page) -> None:
    await page.goto(f"{place.url}/month")
    await expect(page.get_by_role("heading", name="One thing flattred")).to_be_visible()
    await page.get_by_label("Flattr a page by its address").fill(f"{place.blog.url}/night-train")
    await page.locator("form[action='/month/flattr'] button").click()
    await expect(page.get_by_role("heading", name="2 things flattred")).to_be_visible()
    await page.get_by_text("Change").first.click()
    await page.get_by_role("button", name="Take this month's flattr back").first.click()
    await expect(page.get_by_role("heading", name="One thing flattred")).to_be_visible()
    means = page.locator("form[action='/month/means']")
    await means.locator("input[name=amount]").fill("3000")
    await means.locator("button").click()
    await expect(means.locator("input[name=amount]")).to_have_value("3000")


async def _withdraw(place: Place, page: Page) -> None:
    """To a Lightning address; it arrives, as the wallet's own lnd says."""
    await page.goto(f"{place.url}/withdraw")
    await page.get_by_label("To: a Lightning address").fill(place.network.lnurl.address(CREATOR))
    await page.get_by_label("Amount in sats").fill("300")
    await page.locator("form[action='/withdraw'] button").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("300")


async def test_a_creator_needs_no_script(place: Place, plain: Page) -> None:
    await sign_in(place, plain, CREATOR)
    await plain.goto(f"{place.url}/creator/claim")
    await plain.get_by_label("Address of your site").fill(place.blog.url)
    await plain.get_by_label("The whole site").check()
    await plain.get_by_role("button", name="Next: what to put where").click()
    place.blog.prove(await plain.locator("#text-file").input_value())
    await plain.get_by_role("button", name="Check now").click()
    await expect(plain.get_by_text("The site is yours")).to_be_visible()
    await plain.goto(f"{place.url}/creator/target")
    await plain.get_by_label("Your address").fill("nobody@nowhere.invalid")
    await plain.get_by_role("button", name="Try it and save it").click()
    await expect(plain.get_by_role("alert")).to_be_visible()
    await plain.get_by_label("Your address").fill(place.network.lnurl.address(CREATOR))
    await plain.get_by_role("button", name="Try it and save it").click()
    await expect(plain.get_by_text("Saved: ")).to_be_visible()
    await plain.goto(f"{place.url}/creator/button")
    await plain.get_by_label("Address of the page").fill(place.blog.url + POST)
    await plain.get_by_role("button", name="Show").click()
    await expect(plain.locator("#copy-markdown")).to_contain_text("cold-kitchen-bread")
    await plain.goto(f"{place.url}/settings/tokens")
    await plain.locator("form[action='/settings/tokens'] input:not([type])").fill("my script")
    await plain.get_by_role("button", name="Make it").click()
    await expect(plain.get_by_label("my script", exact=True)).to_have_value(re.compile("flattr_"))


async def test_an_ethereum_wallet_signs_the_text_that_is_shown(place: Place, plain: Page) -> None:
    place.clock.come_back()
    wallet = EthereumWallet("erin", chain_id=1)
    await plain.goto(f"{place.url}/sign-in/ethereum")
    await plain.get_by_label("The address of your wallet").fill(wallet.address)
    await plain.get_by_role("button", name="Show the text").click()
    text = await plain.locator("#signed-text").inner_text()
    await plain.get_by_label("The signature of").fill(wallet.sign(text))
    await plain.get_by_role("button", name="Sign in").click()
    await join_or_go_on(plain, "erin")


async def test_a_nostr_event_is_pasted(place: Place, plain: Page) -> None:
    place.clock.come_back()
    await plain.goto(f"{place.url}/sign-in/nostr")
    wanted = await plain.locator("[data-nostr]").get_attribute("data-nostr")
    event = NostrWallet().sign_at(str(wanted), place.clock.now_us() // 1_000_000)
    await plain.get_by_label("The signed event, as JSON").fill(event)
    await plain.get_by_role("button", name="Sign in").click()
    await join_or_go_on(plain, "nora")


async def test_the_operator_needs_no_script(place: Place, plain: Page) -> None:
    await sign_in(place, plain, "alice")
    await pay_in(place, plain, 1000)
    await put_into_pot(plain, place.url, 1000)
    place.clock.come_back()
    await plain.goto(await place.operators_link())
    await plain.get_by_role("button", name="Sign in").click()
    await plain.goto(f"{place.console.url}/months/sat/{place.clock.month}")
    await plain.get_by_role("button", name="Approve the close").click()
    await expect(plain.get_by_role("status")).to_contain_text("Approved")
