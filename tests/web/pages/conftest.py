"""A person with a browser that has no scripts: cookies, forms and links, and nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from yarl import URL

from node.flows import join, sessions
from node.ids import MemberId
from tests.web.conftest import World


class _Reader(HTMLParser):
    """The forms, links and text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, Any]] = []
        self.urls: list[tuple[str, str, str]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag, attrs):
        given = {name: value or "" for name, value in attrs}
        for name in ("href", "src", "action", "srcset", "data", "poster", "formaction"):
            if name in given:
                self.urls.append((tag, name, given[name]))
        if tag == "form":
            self.forms.append({"action": given.get("action", ""), "fields": {}, **given})
        if tag in {"input", "button", "select", "textarea"} and self.forms and given.get("name"):
            is_choice = given.get("type") in {"radio", "checkbox"}
            if tag != "button" and (not is_choice or "checked" in given):
                self.forms[-1]["fields"][given["name"]] = given.get("value", "")

    def handle_data(self, data):
        self.text.append(data)


@dataclass
class Shown:
    """A page as it arrived."""

    status: int
    headers: Any
    html: str
    path: str

    @property
    def read(self) -> _Reader:
        reader = _Reader()
        reader.feed(self.html)
        return reader

    @property
    def text(self) -> str:
        """What a person reads, without needless space."""
        return re.sub(r"[\s\u202f\u2009]+", " ", " ".join(self.read.text))

    @property
    def invoice(self) -> str:
        """The invoice that it asks to pay."""
        return re.search(r"lightning:(lnsb\w+)", self.html)[1]

    def form(self, action: str) -> dict[str, str]:
        """The fields of the form that goes to this path, as they stand."""
        [found] = [one for one in self.read.forms if one["action"] == action]
        return dict(found["fields"])


@dataclass
class Person:
    """One browser. `member` None: signed in nowhere."""

    http: aiohttp.ClientSession
    url: str
    member: MemberId | None = None
    headers: dict[str, str] = field(default_factory=dict)

    async def get(self, path: str, **headers: str) -> Shown:
        """Open a page, following redirects."""
        return await self._ask("GET", path, {"Accept": "text/html", **headers})

    async def send(self, page: str, action: str, **fields: str) -> Shown:
        """Open a page, fill the form in that goes to `action`, and send it."""
        form = (await self.get(page)).form(action)
        return await self.post(action, {**form, **fields})

    async def post(self, path: str, fields: dict[str, str], **options: Any) -> Shown:
        """Send a form as a browser would from a page of the node."""
        headers = {"Accept": "text/html", "Origin": self.url, "Sec-Fetch-Site": "same-origin"}
        headers |= options.pop("headers", {})
        kept = {name: value for name, value in headers.items() if value}
        return await self._ask("POST", path, kept, data=fields, **options)

    async def _ask(self, method: str, path: str, headers: Any, **options: Any) -> Shown:
        url = URL(self.url + path, encoded="%" in path)
        headers = {**self.headers, **headers}
        async with self.http.request(method, url, headers=headers, **options) as response:
            html = (await response.read()).decode()
            where = urlsplit(str(response.url))
            path = where.path + (f"?{where.query}" if where.query else "")
            return Shown(response.status, response.headers, html, path)


@dataclass
class People:
    """Makes persons in one world."""

    world: World
    opened: list[aiohttp.ClientSession] = field(default_factory=list)

    async def visitor(self) -> Person:
        """Somebody who is signed in nowhere."""
        jar = aiohttp.CookieJar(unsafe=True)
        http = aiohttp.ClientSession(cookie_jar=jar)
        self.opened.append(http)
        return Person(http, self.world.url)

    async def member(self, name: str) -> Person:
        """A new member, signed in by a wallet a moment ago."""
        person, node = await self.visitor(), self.world.node
        person.member, _ = await join.join(node.store, node.clock, name)
        await self.sign_in(person)
        return person

    async def sign_in(self, *persons: Person) -> None:
        """Members come back, and sign in by their wallets."""
        node = self.world.node
        for person in persons:
            new = await sessions.open_session(node.store, node.clock, person.member, "a test")
            person.http.cookie_jar.update_cookies({"flattr": new.secret})

    async def end_sessions(self, person: Person) -> None:
        """As the member would, from another browser."""
        assert await sessions.end_sessions(self.world.node.store, person.member) == 1


@pytest.fixture
async def people(world):
    made = People(world)
    yield made
    for http in made.opened:
        await http.close()


@pytest.fixture
async def both_people(both_worlds):
    made = People(both_worlds)
    yield made
    for http in made.opened:
        await http.close()


@pytest.fixture
async def usd_people(usd_world):
    made = People(usd_world)
    yield made
    for http in made.opened:
        await http.close()
