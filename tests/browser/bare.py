"""Chromium without a driver that holds new windows until it knows them: for measuring a popup.

Playwright stops each new window until it has attached to it, which a person's browser does not. So
the click that opens one is made here through the devtools protocol of one tab, and nothing listens
to the window.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import re
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.browser.chromium import FLAGS, find_chromium

LIMIT_S = 30
LISTENING = re.compile(r"DevTools listening on ws://([^/]+)/")


class Tab:
    """One tab, by the devtools protocol."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)

    async def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """One command, its result."""
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": params})
        async with asyncio.timeout(LIMIT_S):
            while (said := await self._socket.receive_json()).get("id") != number:
                pass  # an event, which nobody waits for
        assert "error" not in said, said["error"]
        result = said["result"]
        assert isinstance(result, dict)
        return result

    async def value(self, expression: str) -> Any:
        """What an expression is in the page; a promise is waited for."""
        said = await self.ask(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in said, said
        return said["result"].get("value")

    async def until(self, expression: str) -> None:
        """Ask again until it is true."""
        async with asyncio.timeout(LIMIT_S):
            while not await self.value(expression):
                await asyncio.sleep(0.02)

    async def open(self, url: str) -> None:
        """Go there, and wait until it is loaded."""
        await self.ask("Page.navigate", url=url)
        await self.until("document.readyState === 'complete'")

    async def click(self, x: float, y: float) -> None:
        """A press of the left button, as a person does it."""
        for kind in ("mousePressed", "mouseReleased"):
            await self.ask(
                "Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1
            )

    async def close_others(self) -> None:
        """Close all windows but this one."""
        here = await self.value("location.href")
        for one in (await self.ask("Target.getTargets"))["targetInfos"]:
            if one["type"] == "page" and one["url"] != here:
                await self.ask("Target.closeTarget", targetId=one["targetId"])


@asynccontextmanager
async def open_tab(folder: Path) -> AsyncIterator[Tab]:
    """A browser with a new profile in `folder`, and its one tab."""
    flags = [*FLAGS, "--headless=new", "--remote-debugging-port=0", f"--user-data-dir={folder}"]
    if os.geteuid() == 0:
        flags.append("--no-sandbox")
    process = await asyncio.create_subprocess_exec(
        find_chromium(), *flags, "about:blank", stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(LIMIT_S):
            place = await _place(process.stderr)
        async with aiohttp.ClientSession() as http:
            async with http.get(f"http://{place}/json/list") as answer:
                (page,) = [one for one in await answer.json() if one["type"] == "page"]
            async with http.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                yield Tab(socket)
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def _place(stderr: asyncio.StreamReader) -> str:
    """Host and port of the devtools, which chromium says when it is ready."""
    while line := (await stderr.readline()).decode(errors="replace"):
        if (found := LISTENING.search(line)) is not None:
            return found[1]
    raise AssertionError("chromium ended before it said where its devtools are")
