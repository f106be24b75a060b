"""What a person on a sign-in page wants: where they go next, and as whom they sign.

signed in nowhere                           login
signed in, with wallets                     auth: the session becomes fresh again
signed in, and wants to add a wallet        link
signed in by a token, without any wallet    link: the first wallet is added
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from node.errors import FreshSignInNeeded, Rejected
from node.flows.node import Node
from node.flows.sign_in.asking import SignIn
from node.flows.sign_in.finish import Browser
from node.flows.sign_in.wallets import wallets_of
from node.store.challenges import Action
from node.store.sessions import Session
from node.web.pages import forms
from node.web.pages.page import PageCall
from node.web.pages.refusals import sentence
from node.web.pages.render import redirect

AFTER: Final = "/month"
"""Where to, if nobody said."""
START: Final = "/sign-in"
WALLETS: Final = "/settings/identities"
FIELDS: Final = ("next", "add")
"""What each sign-in page and form hands on to the next."""
_MAINNET: Final = 1


@dataclass(frozen=True, slots=True)
class Asked:
    """`next`: a path of this node."""

    next: str
    add: bool
    action: Action
    by: Session | None

    def path(self, path: str, **more: str) -> str:
        """A sign-in page, with the same wishes."""
        query = {"next": self.next, **({"add": "1"} if self.add else {}), **more}
        return f"{path}?{urlencode(query)}"

    @property
    def proves(self) -> bool:
        """Whether somebody who is signed in signs again, and adds nothing."""
        return self.action == "auth"


def again(call: PageCall, wanted: Asked, path: str, error: Rejected) -> web.Response:
    """Back to a sign-in page, with what went wrong. Who must sign with a known wallet does that."""
    if isinstance(error, FreshSignInNeeded):
        first = Asked(wanted.path(path), False, "auth", wanted.by)
        return redirect(call, first.path(START, again="1"), said=sentence(error), kind="error")
    return redirect(call, wanted.path(path), said=sentence(error), kind="error")


async def read(call: PageCall) -> Asked:
    """What the query, or the form, of a sign-in page asks for."""
    told = call.field if call.page.method == "POST" else call.asked
    add = told("add") == "1"
    after = forms.local_path(told("next"), WALLETS if add else AFTER)
    if call.session is None:
        return Asked(after, False, "login", None)
    wallets = await wallets_of(call.node.store, call.member)
    return Asked(after, add, "link" if add or not wallets else "auth", call.session)


def sign_in_of(node: Node) -> SignIn:
    """What the flows of signing in need of this node."""
    settings, coin = node.settings, node.stablecoin
    return SignIn(
        store=node.store,
        clock=node.clock,
        public_url=settings.web.base_url,
        network=settings.network,
        chain_id=coin.money.chain_id if coin else _MAINNET,
        chain=coin.money.chain if coin else None,
    )


def browser_of(call: PageCall) -> Browser:
    """Whose proof this is."""
    agent = call.request.headers.get("User-Agent", "")
    return Browser(call.browser.visitor, agent, call.browser.secret or None)
