"""A real browser: one for each test process, and a visitor without cookies for each test.

Everything here runs in the session's event loop, as the browser does. axe-core is brought, where it
is not there yet, when the tests have been collected: no test's time limit runs then.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page

from node.store import checks
from tests.browser.axe_core import ensure_axe, violations
from tests.browser.chromium import Watch, open_browser, open_watched
from tests.browser.place import Place, open_place

HERE = Path(__file__).parent
Accessible = Callable[[Page], Awaitable[None]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is in this folder."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if inspect.iscoroutinefunction(getattr(item, "function", None)):
                item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Bring axe-core, when a test of this session needs it."""
    needed = any("assert_accessible" in getattr(item, "fixturenames", ()) for item in session.items)
    if needed and not session.config.option.collectonly:
        asyncio.run(ensure_axe(print))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium. Raises DaemonError with what to install."""
    async with open_browser() as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def visit(browser: Browser) -> AsyncIterator[tuple[BrowserContext, Watch]]:
    """A visitor, and what is seen of it; what no page may do fails the test when it ends."""
    async with open_watched(browser) as (context, watch):
        yield context, watch
    watch.demand_clean()


@pytest.fixture
def context(visit: tuple[BrowserContext, Watch]) -> BrowserContext:
    """The visitor."""
    return visit[0]


@pytest.fixture
def watch(visit: tuple[BrowserContext, Watch]) -> Watch:
    """What is seen of the visitor."""
    return visit[1]


@pytest_asyncio.fixture(loop_scope="session")
async def page(context: BrowserContext) -> Page:
    """The visitor's first tab."""
    return await context.new_page()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def axe_script() -> str:
    """axe-core, as text."""
    return (await ensure_axe(print)).read_text(encoding="utf-8")


@pytest.fixture
def assert_accessible(axe_script: str) -> Accessible:
    """Ask axe of a page as it is now: it must find nothing."""

    async def ask(page: Page) -> None:
        assert await violations(page, axe_script) == [], page.url

    return ask


@pytest_asyncio.fixture(loop_scope="session")
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    """A node on the simulated network; its books must be clean when the test ends."""
    async with open_place(tmp_path) as opened:
        yield opened
        async with opened.node.store.read() as tx:
            assert await checks.breaches(tx, deep=True) == []
