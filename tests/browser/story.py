"""The whole story in browsers: a reader, a creator and the operator, in a month that is closed.

sign in ▶ pay in ▶ flattr on a foreign site ▶ claim it ▶ say where to be paid ▶ close ▶ payout
"""

from __future__ import annotations

import csv
import hashlib
import io
import re

from playwright.async_api import Browser, Locator, Page, expect

from node.devnet.auth_wallet import AuthWallet
from tests.browser.acts import (
    approve_month,
    button_of,
    claim_site,
    count_of,
    flattr_in_window,
    pay_in,
    press,
    put_into_pot,
    reload_until,
    sign_in,
)
from tests.browser.chromium import open_context
from tests.browser.pace import Pace, took_ms, watch_count
from tests.browser.place import CREATOR, Place

FIRST, SECOND = "/night-train", "/letter-to-my-bicycle"
POT_SAT = 5000
EARNED_SAT = 4500
"""Nine tenths of the pot: all that was flattred is hers."""
DUES_SAT = 2000
"""The creator's own pot, without which she earns and is not paid. Unused, it rolls over."""
CLOSE_LIMIT_MS = 60_000


async def tell(place: Place, browser: Browser) -> Pace:
    """Act it, and look at all that the pages say."""
    alices, beas = AuthWallet("alice"), AuthWallet(CREATOR)
    async with open_context(browser) as reader, open_context(browser) as creator:
        alice, bea = await reader.new_page(), await creator.new_page()
        pace = await _read(place, alice, alices)
        await _create(place, bea, beas)
        place.clock.come_back()
        async with open_context(browser) as operator:
            await approve_month(place, await operator.new_page())
        await _be_paid(place, bea, beas)
        await _look_back(place, alice, alices)
    return pace


async def _read(place: Place, page: Page, wallet: AuthWallet) -> Pace:
    """Alice pays in, reads, flattrs, takes one back, and flattrs again."""
    await sign_in(place, page, wallet, "alice")
    flip_ms = await pay_in(place, page, POT_SAT)
    await put_into_pot(page, place.url, POT_SAT)
    await page.goto(place.blog.url + FIRST)
    window = await press(page)
    await flattr_in_window(window, always=True)
    await expect(count_of(page)).to_have_text("1")
    await window.get_by_role("button", name="Undo").click()
    await expect(count_of(page)).to_have_text("0")
    await window.close()
    for post in (FIRST, SECOND):
        await page.goto(place.blog.url + post)
        await expect(count_of(page)).to_have_text("0")
        await watch_count(button_of(page))
        window = await press(page)
        await expect(count_of(page)).to_have_text("1")
        await window.close()
    count_ms = await took_ms(button_of(page))
    await page.goto(f"{place.url}/month")
    await expect(page.get_by_role("heading", name="2 things flattred")).to_be_visible()
    return Pace(flip_ms, count_ms)


async def _create(place: Place, page: Page, wallet: AuthWallet) -> None:
    """Bea claims her blog and says where she is paid."""
    await sign_in(place, page, wallet, CREATOR)
    await pay_in(place, page, DUES_SAT)
    await put_into_pot(page, place.url, DUES_SAT)
    await claim_site(place, page, place.blog.url)
    await page.goto(f"{place.url}/creator/target")
    await page.get_by_label("Your address").fill(place.network.lnurl.address(CREATOR))
    await page.get_by_role("button", name="Try it and save it").click()
    await expect(page.get_by_text("Saved: ")).to_be_visible()


async def _be_paid(place: Place, page: Page, wallet: AuthWallet) -> None:
    """The month is closed; a month later Bea signs in again and looks at what she was paid."""
    await sign_in(place, page, wallet, CREATOR)
    await page.goto(f"{place.url}/creator/payouts")
    paid = page.locator("article", has=page.get_by_role("heading", name="paid"))
    await reload_until(page, paid, CLOSE_LIMIT_MS)
    await expect(paid).to_contain_text(f"{EARNED_SAT:,}".replace(",", "\u202f"))
    payment_hash, preimage = await _cell(paid, "Payment hash"), await _cell(paid, "preimage")
    assert hashlib.sha256(bytes.fromhex(preimage)).hexdigest() == payment_hash
    received = await place.network.creators.received()  # as her own lnd says
    assert received == {payment_hash: EARNED_SAT * 1000}
    await page.goto(f"{place.url}/creator/earnings")
    async with page.expect_download() as downloading:
        await page.get_by_role("link", name="Earnings by thing and month").click()
    text = (await (await downloading.value).path()).read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text), delimiter=";"))
    assert {row["url"] for row in rows} == {place.blog.url + FIRST, place.blog.url + SECOND}
    assert {row["revenue"] for row in rows} == {f"{EARNED_SAT // 2},000"}


async def _cell(card: Locator, row: str) -> str:
    return await card.locator("tr", has_text=row).locator("td").inner_text()


async def _look_back(place: Place, page: Page, wallet: AuthWallet) -> None:
    """Alice reads the receipt of the month."""
    await sign_in(place, page, wallet, "alice")
    await page.goto(f"{place.url}/months/{place.clock.month}")
    await expect(page.get_by_text(re.compile("Receipt for"))).to_be_visible()
