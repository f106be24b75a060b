"""axe-core, the accessibility checks: brought by npm, put into a page past its CSP, asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from playwright.async_api import Page

from node.devnet.cache import Progress
from node.devnet.npm import Package, ensure_package
from node.errors import DaemonError

PINS = Path(__file__).parent / "axe"
RUN = (
    "axe.run(document, {resultTypes: ['violations']}).then(told => JSON.stringify(told.violations))"
)


async def ensure_axe(progress: Progress) -> Path:
    """The script in the user's cache. Raises DaemonError."""
    return await ensure_package(AXE, progress)


def _script(folder: Path) -> Path:
    script = folder / "node_modules" / "axe-core" / "axe.min.js"
    if not script.is_file():
        raise DaemonError("npm brought an axe-core without its script")
    return script


AXE = Package(
    "axe-core",
    PINS,
    "the pages are checked by axe-core, which npm brings, and there is no npm: install Node.js"
    " 20 or newer (Debian: apt-get install npm)",
    _script,
)


async def violations(page: Page, script: str) -> list[str]:
    """What axe finds wrong with the page as it is now: one line for each element.

    The script goes in by the devtools protocol, which no Content-Security-Policy stops.
    """
    devtools = await page.context.new_cdp_session(page)
    try:
        await _evaluate(devtools, f"typeof axe === 'object' || (() => {{{script}}})()")
        found = json.loads(await _evaluate(devtools, RUN))
    finally:
        await devtools.detach()
    return [
        f"{one['id']}: {one['help']}: {node['html'][:200]} ({_why(node)})"
        for one in found
        for node in one["nodes"]
    ]


async def _evaluate(devtools: Any, expression: str) -> Any:
    said = await devtools.send(
        "Runtime.evaluate",
        {"expression": expression, "awaitPromise": True, "returnByValue": True},
    )
    assert "exceptionDetails" not in said, said["exceptionDetails"]
    return said["result"].get("value")


def _why(node: dict[str, Any]) -> str:
    return " ".join(str(node.get("failureSummary", "")).split())
