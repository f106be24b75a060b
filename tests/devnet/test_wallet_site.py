"""The demo's wallets: they pay what is pasted, sign in at the demo's node, obey no other site."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import pytest
from bech32 import bech32_encode, convertbits

from node.devnet.auth_wallet import AuthWallet
from node.devnet.wallet_site import Invoice, Wallets, WalletSite, open_wallet_site
from node.errors import NodeError, RailError

NODE = "http://127.0.0.1:9"
LABEL = "SIMULATED Lightning"


class RecordingWallet(AuthWallet):
    """Signs, and says what it was asked."""

    def __init__(self, seed: str) -> None:
        super().__init__(seed)
        self.asked: list[str] = []

    async def sign_in(self, text: str) -> None:
        self.asked.append(text)
        if "refuse" in self.signed(text):
            raise NodeError("the sign-in is refused: too late")


@dataclass
class Town:
    """The site, and what reached the wallets behind it."""

    alice: RecordingWallet = field(default_factory=lambda: RecordingWallet("alice"))
    paid: list[str] = field(default_factory=list)
    site: WalletSite = field(init=False)

    async def pay(self, invoice: str) -> int:
        self.paid.append(invoice)
        if invoice.endswith("poor"):
            raise RailError("the reader's wallet could not pay: NO_ROUTE")
        return 0

    async def waiting(self, person: str) -> list[Invoice]:
        return [Invoice("lnsbwaiting", "5000 sat")] if person == "alice" else []

    async def send(self, text: str, person: str = "alice", origin: str | None = None):
        headers = {"Origin": self.site.url if origin is None else origin}
        async with (
            aiohttp.ClientSession(headers=headers) as http,
            http.post(self.site.of(person), data={"text": text}) as response,
        ):
            return response.status, await response.text()


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    built = Town()
    people = {"alice": built.alice, "bob": RecordingWallet("bob")}
    wallets = Wallets(LABEL, NODE, people, built.pay, built.waiting)
    async with open_wallet_site(wallets) as built.site:
        yield built


def lnurl(url: str) -> str:
    return str(bech32_encode("lnurl", convertbits(url.encode(), 8, 5)))


def link(where: str) -> str:
    return lnurl(f"{where}?tag=login&k1={'ab' * 32}")


async def test_an_invoice_is_paid_in_any_spelling(town: Town) -> None:
    for text in ("lnsb1abc", " LIGHTNING:LNSB1ABC\n"):
        status, page = await town.send(text)
        assert (status, "Paid." in page) == (200, True)
    assert town.paid == ["lnsb1abc", "lnsb1abc"]


async def test_a_link_of_the_node_is_signed_by_the_person(town: Town) -> None:
    text = link(f"{NODE}/sign-in/lightning").upper()
    status, page = await town.send(text)
    assert (status, "Signed." in page) == (200, True)
    assert (town.alice.asked, town.paid) == ([text], [])


@pytest.mark.parametrize(
    "where", ["http://127.0.0.1:99/in", "http://127.0.0.1:9.evil.test/in", "https://evil.test/in"]
)
async def test_a_link_of_another_site_is_not_called(town: Town, where: str) -> None:
    status, page = await town.send(link(where))
    assert (status, "another site" in page) == (400, True)
    assert town.alice.asked == []


async def test_what_went_wrong_is_said(town: Town) -> None:
    for text, said in (
        ("lnsb1poor", "NO_ROUTE"),
        (link(f"{NODE}/refuse"), "too late"),
        ("LNURL1nonsense", "no LNURL"),
        ("x" * 4001, "too long"),
    ):
        status, page = await town.send(text)
        assert (status, said in page) == (400, True), text


@pytest.mark.parametrize("origin", ["http://evil.test", "null", ""])
async def test_another_sites_form_pays_nothing(town: Town, origin: str) -> None:
    status, _ = await town.send("lnsb1abc", origin=origin)
    assert (status, town.paid) == (400, [])


async def test_each_wallet_says_whose_it_is_and_that_it_is_simulated(town: Town) -> None:
    async with aiohttp.ClientSession() as http:
        async with http.get(town.site.of("alice")) as response:
            alice = await response.text()
            assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
        async with http.get(town.site.of("bob")) as response:
            bob = await response.text()
        async with http.get(town.site.of("<b>mallory")) as response:
            assert response.status == 404
            assert response.content_type == "text/plain"
    assert LABEL in alice
    assert "Pay 5000 sat" in alice
    assert "lnsbwaiting" not in bob
