"""`flattr-node demo` in a process of its own, and the links that it prints."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

LIMIT_S = 120
LINK = re.compile(r"    ([a-z]+) +(\S+)   .*")


@dataclass(frozen=True)
class Demo:
    """A demo that serves on. `links` by the name that the demo gives them."""

    links: dict[str, str]

    @property
    def url(self) -> str:
        """The node's."""
        return self.links["welcome"].rstrip("/")


@asynccontextmanager
async def open_demo(*arguments: str, limit_s: float = LIMIT_S) -> AsyncIterator[Demo]:
    """Run the demo until the block ends."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "node", "demo", *arguments), stdout=PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(limit_s):
            links = await _links(process.stdout)
        yield Demo(links)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
            await process.communicate()


async def _links(stdout: asyncio.StreamReader) -> dict[str, str]:
    """The links, when the last line of all has been said."""
    links: dict[str, str] = {}
    line = ""
    while not line.endswith("/balance"):
        raw = await stdout.readline()
        assert raw, "the demo ended before it served"
        line = raw.decode().rstrip()
        if (found := LINK.fullmatch(line)) is not None:
            links[found[1]] = found[2]
    return links
