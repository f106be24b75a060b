"""The console in a real browser: its script asks the browser's authenticator, and is answered."""

from __future__ import annotations

import os
import shutil

import pytest
from playwright.async_api import async_playwright, expect

from node.flows.operator import acts
from node.web.operator.server import first_link

FLAGS = (
    "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run",
)  # fmt: skip
AUTHENTICATOR = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True,
    "hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip
WAIT_MS = 60_000


@pytest.fixture
async def chromium():
    """A page of a browser with an authenticator, and how to say whether that knows its user."""
    flags = [*FLAGS, "--no-sandbox"] if os.geteuid() == 0 else [*FLAGS]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=flags
        )
        opened = await browser.new_page()
        opened.set_default_timeout(WAIT_MS)
        expect.set_options(timeout=WAIT_MS)
        devtools = await opened.context.new_cdp_session(opened)
        await devtools.send("WebAuthn.enable")
        made = await devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
        errors = []
        opened.on("pageerror", lambda one: errors.append(str(one)))
        opened.on("console", lambda one: errors.append(one.text) if one.type == "error" else None)

        async def trust(verified):
            await devtools.send(
                "WebAuthn.setUserVerified",
                {"authenticatorId": made["authenticatorId"], "isUserVerified": verified},
            )

        yield opened, trust
        assert errors == []
        await browser.close()


async def test_a_passkey_is_made_signs_in_and_confirms_an_act(place, chromium):
    (page, _), node = chromium, place.console.node
    await page.goto(await first_link(node, place.console))
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_label("Name of the new passkey").fill("My laptop")
    await page.get_by_role("button", name="Add a passkey").click()
    await expect(page.get_by_text("The passkey is added")).to_be_visible()
    await page.get_by_role("button", name="Sign out").click()
    await page.get_by_role("button", name="Sign in with your passkey").click()
    await expect(page.get_by_role("heading", name="Lightning")).to_be_visible()
    await acts.pause(node.store, node.clock, "somebody else")
    await expect(page.get_by_text("Nothing is sent:")).to_be_visible()  # without a reload
    await acts.resume(node.store, node.clock, "somebody else")
    await expect(page.get_by_text("Nothing is sent:")).to_be_hidden()
    await page.get_by_role("button", name="Stop sending").click()
    await page.get_by_role("link", name="Look, and send again").first.click()
    await page.get_by_role("button", name="Send again").click()
    await expect(page.get_by_text("Payments are sent again")).to_be_visible()
    assert not await acts.stopped(node.store)


async def test_a_user_who_is_not_verified_is_not_let_in(place, chromium):
    (page, trust), node = chromium, place.console.node
    await page.goto(await first_link(node, place.console))
    await page.get_by_role("button", name="Sign in").click()
    await trust(False)
    await page.get_by_label("Name of the new passkey").fill("My laptop")
    await page.get_by_role("button", name="Add a passkey").click()
    await expect(page.locator("[data-trouble]")).to_be_visible()
    await page.reload()
    await expect(page.get_by_text("There is none.")).to_be_visible()
