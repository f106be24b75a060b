"""The wallets of the demo's people, as a site of its own beside the node's: it pays and signs in.

The Lightning network of the demo is on this machine, so no phone can pay its invoices. Here the
text under a QR code is pasted instead: an invoice is paid from the readers' lnd, a link to sign in
is signed with the person's key, and called back if it is the node's. The money is worthless, and
the page says which network it is on.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from node.devnet.auth_wallet import AuthWallet, read_link
from node.devnet.processes import HOST
from node.errors import BadInput, Forbidden, NodeError

Pay = Callable[[str], Awaitable[int]]
"""Pays a BOLT11 invoice; the fee in msat. Raises RailError."""
Waiting = Callable[[str], Awaitable[list["Invoice"]]]
"""The invoices of a person that may be paid yet."""

FOLDER: Final = Path(__file__).parent
TEXT_CHARS_MAX: Final = 4000
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Invoice:
    """One invoice that waits: BOLT11, and its amount in words."""

    invoice: str
    amount: str


@dataclass(frozen=True, slots=True)
class Wallets:
    """Whose wallets they are, and what they can do."""

    label: str
    """The network, as every page says it."""
    node_url: str
    people: Mapping[str, AuthWallet]
    pay: Pay
    waiting: Waiting


@dataclass(frozen=True, slots=True)
class WalletSite:
    """The running site."""

    url: str

    def of(self, person: str) -> str:
        """The URL of a person's wallet."""
        return f"{self.url}/{person}"


@asynccontextmanager
async def open_wallet_site(wallets: Wallets) -> AsyncIterator[WalletSite]:
    """Serve the wallets on 127.0.0.1, on a port of their own."""
    desk = _Desk(wallets)
    app = web.Application()
    app.router.add_get("/wallet.css", desk.style)
    app.router.add_get("/{person}", desk.show)
    app.router.add_post("/{person}", desk.act)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, 0).start()
        yield WalletSite(f"http://{HOST}:{runner.addresses[0][1]}")
    finally:
        await runner.cleanup()


class _Desk:
    def __init__(self, wallets: Wallets) -> None:
        self._wallets = wallets
        pages = Environment(
            loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined,
            trim_blocks=True,
        )  # fmt: skip
        self._page = pages.get_template("wallet_site.html")
        self._style = (FOLDER / "wallet_site.css").read_text(encoding="utf-8")

    async def style(self, _: web.Request) -> web.Response:
        """The style sheet."""
        return web.Response(text=self._style, content_type="text/css", headers=_HEADERS)

    async def show(self, request: web.Request) -> web.Response:
        """A person's wallet."""
        return await self._answer(self._person(request))

    async def act(self, request: web.Request) -> web.Response:
        """Pay an invoice, or sign in."""
        person = self._person(request)
        try:
            _demand_own_page(request)
            text = str((await request.post()).get("text", "")).strip()
            return await self._answer(person, said=await self._do(person, text))
        except NodeError as error:
            return await self._answer(person, refused=str(error), status=400)

    async def _do(self, person: str, text: str) -> str:
        """What has been done. Raises BadInput, NodeError."""
        if len(text) > TEXT_CHARS_MAX:
            raise BadInput("this is too long to be an invoice or a link")
        bare = text.lower().removeprefix("lightning:")
        if not bare.startswith("lnurl"):
            await self._wallets.pay(bare)
            return "Paid. The page with the invoice says so by itself."
        if not read_link(text).startswith(f"{self._wallets.node_url}/"):
            raise BadInput("this link is another site's: these wallets sign in at the demo's node")
        await self._wallets.people[person].sign_in(text)
        return "Signed. The page with the code goes on by itself."

    def _person(self, request: web.Request) -> str:
        person = request.match_info["person"]
        if person not in self._wallets.people:
            raise web.HTTPNotFound(text=f"nobody here is called {person}")
        return person

    async def _answer(
        self, person: str, *, said: str = "", refused: str = "", status: int = 200
    ) -> web.Response:
        text = self._page.render(
            person=person, label=self._wallets.label, said=said, refused=refused,
            people=[name for name in self._wallets.people if name != person],
            waiting=await self._wallets.waiting(person),
        )  # fmt: skip
        return web.Response(text=text, content_type="text/html", status=status, headers=_HEADERS)


def _demand_own_page(request: web.Request) -> None:
    """Another site's form pays nothing. Raises Forbidden."""
    if request.headers.get("Origin") != f"http://{request.host}":
        raise Forbidden("this came from another page: send it from this one")
