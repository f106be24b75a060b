"""Signing in as people do: a phone that scans, wallets in the browser, an extension for Nostr."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page, expect

from node.devnet.auth_wallet import AuthWallet
from node.errors import NodeError
from node.flows import sessions
from node.flows.sign_in.wallets import wallets_of
from node.store import members
from tests.browser.acts import join_or_go_on, sign_in
from tests.browser.chromium import open_context
from tests.browser.conftest import Accessible
from tests.browser.place import Place
from tests.browser.wallets import EthereumWallet, NostrWallet


@pytest.fixture
def today(place: Place) -> Place:
    """The node by the machine's clock, which is the browser's."""
    place.clock.come_back()
    return place


async def who(place: Place, page: Page) -> tuple[str, list[str]]:
    """(the name of who is signed in in this browser, the kinds of that member's wallets)."""
    (cookie,) = [one for one in await page.context.cookies() if one["name"] == "flattr"]
    node = place.node
    session = await sessions.find_session(node.store, node.clock, cookie["value"])
    assert session is not None
    async with node.store.read() as tx:
        member = await members.get(tx, session.member)
    assert member is not None
    wallets = await wallets_of(node.store, session.member)
    return member.name, [one.kind for one in wallets]


async def test_a_phone_scans_the_code_and_the_page_goes_on_by_itself(
    today: Place, page: Page, browser: Browser
) -> None:
    wallet = AuthWallet("alice")
    await sign_in(today, page, wallet, "alice")
    assert await who(today, page) == ("alice", ["lightning"])
    async with open_context(browser) as context:  # the next day, at another computer
        again = await context.new_page()
        await sign_in(today, again, wallet, "never-asked")
        assert await who(today, again) == ("alice", ["lightning"])


async def test_the_code_of_one_browser_signs_no_other_browser_in(
    today: Place, page: Page, browser: Browser
) -> None:
    """Whoever sends their own code to a victim gets no session of the victim's, nor the reverse."""
    await page.goto(f"{today.url}/sign-in/lightning")
    link = await page.locator("#lnurl").input_value()
    async with open_context(browser) as context:
        other = await context.new_page()
        await other.goto(f"{today.url}/sign-in/lightning")
        await AuthWallet("alice").sign_in(link)
        await page.wait_for_url("**/sign-in/name**")
        await other.get_by_role("button", name="I have signed").click()
        await expect(other.get_by_role("alert")).to_contain_text("No wallet has signed yet")
    with pytest.raises(NodeError, match="refused"):
        await AuthWallet("mallory").sign_in(link)


async def test_a_wallet_in_the_browser_signs_in_with_ethereum(
    today: Place, page: Page, assert_accessible: Accessible
) -> None:
    wallet = EthereumWallet("erin", chain_id=1)
    await wallet.enter(page.context)
    await page.goto(f"{today.url}/sign-in/ethereum")
    await expect(page.get_by_role("button", name="Wallet of the tests")).to_be_visible()
    await assert_accessible(page)
    await page.get_by_role("button", name="Wallet of the tests").click()
    await join_or_go_on(page, "erin")
    assert await who(today, page) == ("erin", ["ethereum"])
    (text,) = wallet.signed
    assert text.startswith(f"{today.domain} wants you to sign in with your Ethereum account:\n")
    assert wallet.address in text
    assert f"URI: {today.url}" in text


async def test_a_wallet_that_refuses_signs_nobody_in(today: Place, page: Page) -> None:
    wallet = EthereumWallet("erin", chain_id=1)
    wallet.refuses = True
    await wallet.enter(page.context)
    await page.goto(f"{today.url}/sign-in/ethereum")
    await page.get_by_role("button", name="Wallet of the tests").click()
    await page.wait_for_url("**/sign-in/ethereum/text")
    await expect(page.get_by_label("The signature of")).to_be_empty()
    wallet.refuses = False
    await page.get_by_role("button", name="Wallet of the tests").click()
    await join_or_go_on(page, "erin")
    assert await who(today, page) == ("erin", ["ethereum"])


async def test_an_extension_signs_in_with_nostr(
    today: Place, page: Page, assert_accessible: Accessible
) -> None:
    wallet = NostrWallet()
    await wallet.enter(page.context)
    await page.goto(f"{today.url}/sign-in/nostr")
    await assert_accessible(page)
    await page.get_by_role("button", name="Sign with this browser's extension").click()
    await join_or_go_on(page, "nora")
    assert await who(today, page) == ("nora", ["nostr"])
    (event,) = wallet.signed
    assert event["kind"] == 27235
    assert event["pubkey"] == wallet.key


async def test_another_wallet_is_added_and_signs_in_as_the_same(
    today: Place, page: Page, browser: Browser
) -> None:
    await sign_in(today, page, AuthWallet("alice"), "alice")
    nostr = NostrWallet()
    await nostr.enter(page.context)
    await page.goto(f"{today.url}/settings/identities")
    await page.get_by_role("button", name="Add a wallet").click()
    await page.get_by_role("button", name="Continue with a Nostr key").click()
    await page.get_by_role("button", name="Sign with this browser's extension").click()
    await expect(page.get_by_text("This wallet can sign in as you now.")).to_be_visible()
    async with open_context(browser) as context:
        await nostr.enter(context)
        other = await context.new_page()
        await other.goto(f"{today.url}/sign-in/nostr")
        await other.get_by_role("button", name="Sign with this browser's extension").click()
        await join_or_go_on(other, "never-asked")
        assert await who(today, other) == ("alice", ["lightning", "nostr"])


async def test_a_revoked_session_is_over_at_the_next_page(
    today: Place, page: Page, browser: Browser
) -> None:
    wallet = AuthWallet("alice")
    await sign_in(today, page, wallet, "alice")
    async with open_context(browser) as context:
        other = await context.new_page()
        await sign_in(today, other, wallet, "never-asked")
        await other.goto(f"{today.url}/settings/sessions")
        await other.get_by_role("button", name="End all others").click()
    await page.goto(f"{today.url}/month")
    await expect(page).to_have_url(f"{today.url}/sign-in?next=%2Fmonth")
