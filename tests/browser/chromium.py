"""Debian's chromium, driven by playwright: started without a sandbox for root, and watched.

A page of the node loads nothing from another machine, runs no inline script and logs no error. So
each context is watched (`Watch`), and whatever it did that it must not is a breach.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Request,
    WebError,
    async_playwright,
    expect,
)

from node.errors import DaemonError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
)
HERE = frozenset({"127.0.0.1", "localhost"})
LOCAL_SCHEMES = frozenset({"data", "blob", "about"})
WAIT_MS = 30_000
"""Longer than a page takes on a machine that is busy with other tests."""

expect.set_options(timeout=WAIT_MS)


def find_chromium() -> str:
    """The path of a chromium. Raises DaemonError with what to install."""
    for name in NAMES:
        if (path := shutil.which(name)) is not None:
            return path
    raise DaemonError(
        "the pages are tested in chromium: install it (Debian: apt-get install chromium)"
    )


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    """A browser with a new profile, without a window."""
    flags = [*FLAGS, "--no-sandbox"] if os.geteuid() == 0 else [*FLAGS]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=flags)
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Watch:
    """What a context did that no page of ours may do.

    A test that provokes an answer which the console reports, such as a 403, says so with `expect`.
    """

    requests: list[str] = field(default_factory=list)
    breaches: list[str] = field(default_factory=list)
    expected: list[re.Pattern[str]] = field(default_factory=list)

    def expect(self, pattern: str) -> None:
        """Let errors go that match, from the start of the test."""
        self.expected.append(re.compile(pattern))

    def unexpected(self) -> list[str]:
        """The breaches that no `expect` has named."""
        return [one for one in self.breaches if not any(p.search(one) for p in self.expected)]

    def demand_clean(self) -> None:
        """Raise AssertionError with what is unexpected."""
        if found := self.unexpected():
            raise AssertionError("\n".join(found))

    def on_request(self, request: Request) -> None:
        """Every request of every page, frame and worker."""
        self.requests.append(f"{request.method} {request.url}")
        parts = urlsplit(request.url)
        if parts.scheme not in LOCAL_SCHEMES and parts.hostname not in HERE:
            self.breaches.append(f"asked another host: {request.method} {request.url}")

    def on_console(self, message: ConsoleMessage) -> None:
        """Errors, among which are all violations of a Content-Security-Policy."""
        if message.type == "error":
            where = message.location.get("url", "")
            self.breaches.append(f"console: {message.text} ({where})")

    def on_error(self, error: WebError) -> None:
        """A script that threw."""
        self.breaches.append(f"uncaught: {error.error}")


@asynccontextmanager
async def open_context(browser: Browser, **options: object) -> AsyncIterator[BrowserContext]:
    """A visitor with no cookies; fails when it does what no page of ours may do."""
    async with open_watched(browser, **options) as (context, watch):
        yield context
    watch.demand_clean()


@asynccontextmanager
async def open_watched(
    browser: Browser, **options: object
) -> AsyncIterator[tuple[BrowserContext, Watch]]:
    """A visitor with no cookies, who wants nothing to move, and what is seen of it."""
    watch = Watch()
    context = await browser.new_context(**{"reduced_motion": "reduce", **options})  # type: ignore[arg-type]  # playwright's names
    context.set_default_timeout(WAIT_MS)
    context.on("request", watch.on_request)
    context.on("console", watch.on_console)
    context.on("weberror", watch.on_error)
    try:
        yield context, watch
    finally:
        await context.close()
