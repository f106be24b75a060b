"""The operator with a browser, on a console of the test's own; with a passkey in software."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
import pytest

from node.config import OperatorSettings
from node.flows.operator import access
from node.web.operator.console import Console
from node.web.operator.server import open_console
from node.web.server import open_server
from tests.authenticator import Authenticator
from tests.web.pages.conftest import Person, Shown


@dataclass
class Operator(Person):
    """One browser at the console."""

    console: Any = None
    """Of the type Console; it is set by Place."""
    key: Authenticator = field(default_factory=lambda: Authenticator(""))

    async def enter(self) -> Shown:
        """Sign in by a one-time link."""
        node = self.console.node
        secret = await access.make_link(node.store, node.clock)
        return await self.send(f"/link/{secret}", "/link")

    async def add_passkey(
        self, name: str = "Ada's key", new: Authenticator | None = None, answer: str | None = None
    ) -> Shown:
        """`answer`: of a passkey that is known; by itself, where the page asks for one."""
        page = await self.get("/access")
        made = (new or self.key).create(question(page, "data-new-passkey"))
        if answer is None:
            answer = self.key.get(question(page)) if "data-passkey=" in page.html else ""
        form = page.form("/access/passkeys") | {"made": made, "answer": answer, "name": name}
        return await self.post("/access/passkeys", form)

    async def sign_in(self) -> Shown:
        """Sign in by the passkey."""
        return await self.confirm("/sign-in", "/sign-in")

    async def confirm(self, page: str, action: str, **fields: str) -> Shown:
        """Open a page, let the passkey answer its question, and send the form."""
        shown = await self.get(page)
        answer = self.key.get(question(shown))
        return await self.post(action, {**shown.form(action), "answer": answer, **fields})


def question(page: Shown, name: str = "data-passkey") -> str:
    """What a page asks a passkey."""
    found = re.search(f'{name}="([^"]*)"', page.html)
    assert found, page.text
    return html.unescape(found[1])


@dataclass
class Place:
    """A console, and who comes to it."""

    console: Console
    world: Any
    opened: list[aiohttp.ClientSession] = field(default_factory=list)

    def browser(self) -> Operator:
        """A browser that is signed in nowhere."""
        http = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        self.opened.append(http)
        url = self.console.url
        return Operator(http, url, console=self.console, key=Authenticator(url))

    async def by_link(self) -> Operator:
        """The operator, signed in by a link a moment ago."""
        made = self.browser()
        await made.enter()
        return made

    async def by_passkey(self) -> Operator:
        """The operator, signed in by a passkey; the link is older than ten minutes."""
        made = await self.by_link()
        await made.add_passkey()
        await made.send("/access", "/sign-out")
        await made.sign_in()
        self.world.clock.advance(access.FRESH_S)
        return made


@asynccontextmanager
async def open_place(world: Any, **settings: Any) -> AsyncIterator[Place]:
    """A console beside a public server of its own, on the world's node."""
    operator = OperatorSettings(port=0, **settings)
    node = replace(
        world.node, settings=world.node.settings.model_copy(update={"operator": operator})
    )
    world.node = node
    async with open_server(node) as public, open_console(node, public, folder_of(world)) as console:
        assert console is not None
        world.url = public.url
        made = Place(console, world)
        try:
            yield made
        finally:
            for http in made.opened:
                await http.close()


def folder_of(world: Any) -> Any:
    """The node's folder, as the checks look at it."""
    return world.folder


@pytest.fixture
async def place(world, tmp_path) -> AsyncIterator[Place]:
    """A console on SQLite."""
    world.folder = tmp_path
    async with open_place(world) as opened:
        yield opened


@pytest.fixture
async def operator(place) -> Operator:
    """Signed in by a link."""
    return await place.by_link()
