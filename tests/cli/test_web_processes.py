"""Several processes answer on one port, and a click that one of them acknowledged is on disk."""

import asyncio
import os
import re
import signal
from pathlib import Path

import aiohttp
import pytest

from node.clock import SystemClock
from node.flows import join
from node.flows.claim import add_thing, grant
from node.store import flattrs, inbox
from tests.cli.conftest import LIMIT_S, folder_of, start, write_settings
from tests.simulation.scene import READER

CONNECTIONS = 48
"""Connections are shared out by chance: that none reaches one of two has one chance in 2**47."""


class Serving:
    """A `serve` with two processes: what it says, and where."""

    def __init__(self, process):
        self.process = process
        self.said = []

    async def until(self, words):
        """What the first line that was not read yet, and says these words, matches."""
        async with asyncio.timeout(LIMIT_S):
            while True:
                line = (await self.process.stderr.readline()).decode()
                assert line, ("it ended", *self.said)
                self.said.append(line)
                if found := re.search(words, line):
                    return found

    async def web_process(self):
        """The id of the other process, when it answers."""
        said = (await self.until("^.*a web process answers.*$"))[0]
        return int(re.search(r"pid\D+(\d+)", said)[1])


@pytest.fixture
async def serving(place):
    web = place.settings.web.model_copy(update={"port": 0, "processes": 2})
    write_settings(place.folder / "node", place.settings, web=web)
    process = await start("serve", *folder_of(place))
    yield Serving(process)
    if process.returncode is None:
        process.kill()
        await process.communicate()


async def prepared(place, number):
    """A reader's token, and so many things that somebody else owns."""
    node, reader = place.node, place.creators[READER]
    owner = next(one for name, one in place.creators.items() if name != READER)
    things = []
    for one in range(number):
        url = f"https://example.org/more/{one}"
        thing = await add_thing(node.store, node.clock, url, url)
        things.append(await grant(node.store, node.clock, owner, thing.id))
    made = join.make_token(node.store, SystemClock(), reader, "test", frozenset({"click"}), 1)
    token = await made
    return token.secret, [thing.id for thing in things]


async def click_at_once(url, secret, things):
    """Flattr each thing on a connection of its own; those that were acknowledged."""
    headers = {"Authorization": f"Bearer {secret}"}
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:

        async def click(thing):
            try:
                async with session.post(f"{url}/things/{thing}/flattr") as answer:
                    return thing if answer.status == 200 else None
            except aiohttp.ClientError:
                return None

        done = await asyncio.gather(*map(click, things))
    return {thing for thing in done if thing is not None}


async def standing(place):
    """What the reader has flattred in any month, folded or not."""
    reader, found = place.creators[READER], set()
    async with place.node.store.read() as tx:
        for month in await flattrs.months(tx):
            found |= {t for t, op in await inbox.clicks_of(tx, reader, month) if op}
            found |= set((await flattrs.packed(tx, {(month, reader)}))[month, reader].things)
    return found


async def test_two_processes_lose_no_click_and_one_that_dies_is_replaced(place, serving):
    secret, things = await prepared(place, CONNECTIONS)
    url = (await serving.until(r"serves at (\S+)"))[1] + "/api/v1"
    first = await serving.web_process()
    assert await click_at_once(url, secret, things[:-8]) == set(things[:-8])
    os.kill(first, signal.SIGKILL)
    assert await serving.web_process() != first
    assert await click_at_once(url, secret, things[-8:]) == set(things[-8:])
    serving.process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(LIMIT_S):
        await serving.process.communicate()
    assert serving.process.returncode == 0
    assert set(things) <= await standing(place)


async def test_a_web_process_ends_with_serve_however_it_ends(serving):
    await serving.until(r"serves at (\S+)")
    web = await serving.web_process()
    serving.process.kill()
    await serving.process.communicate()
    async with asyncio.timeout(LIMIT_S):
        while _lives(web):
            await asyncio.sleep(0.05)


def _lives(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
