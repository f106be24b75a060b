"""People at browsers without scripts, and the wallets in their hands."""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import pytest

from tests.flows.sign_in import keys
from tests.web.pages.conftest import People, Person, Shown, both_people, people

__all__ = ["both_people", "people"]

LNURL = re.compile(r"lightning:(LNURL1[0-9A-Z]+)")


@dataclass
class Guest:
    """One browser, and one wallet of each kind, which a number stands for."""

    person: Person
    number: int = 11

    @property
    def lightning(self) -> keys.LightningWallet:
        return keys.LightningWallet(self.number)

    async def lnurl(self, query: str = "") -> str:
        """The URL in the code that the page shows."""
        shown = await self.person.get(f"/sign-in/lightning{query}")
        assert shown.path.startswith("/sign-in/lightning"), shown.text
        return keys.url_of_lnurl(LNURL.search(shown.html)[1])

    async def call(self, url: str, **changes: str) -> dict[str, str]:
        """The wallet calls; it has no cookies."""
        return await self.call_with(self.lightning.answer(url) | changes, url)

    async def call_with(self, query: dict[str, str], url: str) -> dict[str, str]:
        path = f"{urlsplit(url).path}?{urlencode(query)}"
        async with self.person.bare.get(self.person.url + path) as response:
            assert response.status == 200
            assert response.headers["Access-Control-Allow-Origin"] == "*"
            assert "Set-Cookie" not in response.headers
            return await response.json()

    async def prove(self, query: str = "") -> None:
        assert await self.call(await self.lnurl(query)) == {"status": "OK"}

    async def have_signed(self, query: str = "") -> Shown:
        """Press the button that needs no script; and of a wallet to be added: that it is mine."""
        shown = await self.person.send(f"/sign-in/lightning{query}", "/sign-in/finish")
        if not shown.path.startswith("/sign-in/link"):
            return shown
        form = shown.form("/sign-in/link") | {"whose": "mine"}
        return await self.person.post("/sign-in/link", form)

    async def join(self, name: str) -> Shown:
        await self.prove()
        asked = await self.have_signed()
        assert asked.path.startswith("/sign-in/name"), asked.text
        return await self.person.post("/sign-in/name", asked.form("/sign-in/name") | {"name": name})

    async def ethereum_text(self, query: str = "") -> Shown:
        return await self.person.send(
            f"/sign-in/ethereum{query}", "/sign-in/ethereum/text",
            address=keys.ethereum_wallet(self.number).address,
        )  # fmt: skip

    async def ethereum(self, query: str = "", **changes: str) -> Shown:
        form = (await self.ethereum_text(query)).form("/sign-in/ethereum")
        signature = keys.sign_text(form["text"], keys.ethereum_wallet(self.number))
        return await self.person.post(
            "/sign-in/ethereum", form | {"signature": signature} | changes
        )  # fmt: skip

    async def nostr_event(self, query: str = "") -> tuple[Shown, str]:
        shown = await self.person.get(f"/sign-in/nostr{query}")
        event = html.unescape(re.search(r'data-nostr="([^"]*)"', shown.html)[1])
        assert json.loads(event)["kind"] == 27235
        return shown, event

    async def nostr(self, query: str = "", **changes) -> Shown:
        shown, event = await self.nostr_event(query)
        signed = keys.sign_event(event, keys.nostr_keys(self.number), **changes)
        return await self.person.post(
            "/sign-in/nostr", shown.form("/sign-in/nostr") | {"event": signed}
        )  # fmt: skip

    async def name(self) -> str:
        """As whom this browser is signed in; empty: as nobody."""
        shown = await self.person.get("/settings/sessions")
        return "signed in" if shown.path == "/settings/sessions" else ""


@pytest.fixture
async def guests(people: People, http_without_cookies):
    """Makes guests."""

    async def made(number: int = 11) -> Guest:
        person = await people.visitor()
        person.bare = http_without_cookies
        return Guest(person, number)

    return made


@pytest.fixture
async def http_without_cookies(world):
    return world.http
