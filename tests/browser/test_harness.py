"""What the browser's tests stand on can fail: each breach is planted here, and found."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from playwright.async_api import Browser, Page

from node.errors import DaemonError
from tests.browser.axe_core import violations
from tests.browser.chromium import find_chromium, open_context, open_watched

CSP = {"Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'"}
GOOD = "<!doctype html><html lang=en><title>A page</title><main><h1>A page</h1><p>Words.</p></main>"


@asynccontextmanager
async def open_site(html: str, headers: Mapping[str, str] = {}) -> AsyncIterator[str]:
    """One page on a port of its own, with the icon that a browser asks for; its URL."""

    async def serve(_: web.Request) -> web.Response:
        return web.Response(text=html, content_type="text/html", headers=dict(headers))

    async def serve_icon(_: web.Request) -> web.Response:
        return web.Response(status=204)

    app = web.Application()
    app.router.add_get("/", serve)
    app.router.add_get("/favicon.ico", serve_icon)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def seen(browser: Browser, html: str, headers: Mapping[str, str]) -> list[str]:
    """What the watch says of a page."""
    async with open_site(html, headers) as url, open_watched(browser) as (context, watch):
        page = await context.new_page()
        await page.goto(url, wait_until="networkidle")
        return watch.unexpected()


async def test_a_good_page_is_no_breach(browser: Browser) -> None:
    assert await seen(browser, GOOD, CSP) == []


@pytest.mark.parametrize(
    ("html", "headers", "said"),
    [
        (GOOD + "<img alt='' src=http://elsewhere.test/a.png>", {}, "asked another host"),
        (GOOD + "<script src=//elsewhere.test/a.js></script>", {}, "asked another host"),
        (GOOD + "<script>console.error('no')</script>", {}, "console: no"),
        (GOOD + "<script>throw new Error('no')</script>", {}, "uncaught: "),
        (GOOD + "<script>document.title = 1</script>", CSP, "Content Security Policy"),
        (GOOD + "<p style='color: red'>red</p>", CSP, "Content Security Policy"),
    ],
)
async def test_a_breach_is_seen(
    browser: Browser, html: str, headers: Mapping[str, str], said: str
) -> None:
    breaches = await seen(browser, html, headers)
    assert any(said in one for one in breaches), breaches


async def test_an_unnamed_breach_fails_the_visitor_and_a_named_one_does_not(
    browser: Browser,
) -> None:
    async with open_site(GOOD + "<script>console.error('planted')</script>") as url:
        with pytest.raises(AssertionError, match="planted"):
            async with open_context(browser) as context:
                await (await context.new_page()).goto(url)
        async with open_watched(browser) as (context, watch):
            watch.expect("planted")
            await (await context.new_page()).goto(url)
        assert watch.unexpected() == []
        assert watch.breaches != []


async def test_axe_finds_what_is_wrong_behind_a_strict_policy(page: Page, axe_script: str) -> None:
    async with open_site(GOOD + "<img><label>", CSP) as url:
        await page.goto(url)
        assert any("image-alt" in one for one in await violations(page, axe_script))
    async with open_site(GOOD, CSP) as url:
        await page.goto(url)
        assert await violations(page, axe_script) == []


def test_without_a_browser_one_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DaemonError, match="apt-get install chromium"):
        find_chromium()
