"""What a member signs in with, and where they are signed in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from node.flows import sessions
from node.flows.sign_in.wallets import remove_wallet, wallets_of
from node.flows.sign_in.words import browser_name, wallet_key
from node.store.identities import Kind
from node.web.login.asked import WALLETS
from node.web.pages.page import Page, PageCall
from node.web.pages.render import redirect, render

SESSIONS: Final = "/settings/sessions"


@dataclass(frozen=True, slots=True)
class WalletView:
    """One wallet. `key`: as its owner knows it."""

    id: str
    kind: Kind
    key: str
    added_s: int
    used_s: int


@dataclass(frozen=True, slots=True)
class SessionView:
    """One browser."""

    id: str
    agent: str
    mine: bool
    by_token: bool
    since_s: int
    seen_s: int


async def show_wallets(call: PageCall) -> web.Response:
    """GET /settings/identities."""
    found = [
        WalletView(
            one.id, one.kind, wallet_key(one.kind, one.key), one.created_us // 1_000_000,
            one.used_us // 1_000_000,
        )
        for one in await wallets_of(call.node.store, call.member)
    ]  # fmt: skip
    return render(call, "login/wallets.html", wallets=found, fresh=call.is_fresh())


async def remove(call: PageCall) -> web.Response:
    """POST /settings/identities/{identity}/remove."""
    assert call.session is not None, "the page is for members"
    node = call.node
    await remove_wallet(
        node.store, node.clock, call.session, call.name("identity"),
        node.settings.money.target_lock_hours,
    )  # fmt: skip
    said = call.gettext("The wallet is removed. All your other sessions have ended.")
    return redirect(call, WALLETS, said=said)


async def show_sessions(call: PageCall) -> web.Response:
    """GET /settings/sessions."""
    found = [
        SessionView(
            one.id, browser_name(one.agent), call.session is not None and one.id == call.session.id,
            one.token is not None, one.created_us // 1_000_000, one.seen_us // 1_000_000,
        )
        for one in await sessions.sessions_of(call.node.store, call.node.clock, call.member)
    ]  # fmt: skip
    return render(call, "login/sessions.html", sessions=found)


async def end(call: PageCall) -> web.Response:
    """POST /settings/sessions/{session}/end."""
    await sessions.revoke_session(call.node.store, call.member, call.name("session"))
    return redirect(call, SESSIONS, said=call.gettext("That session has ended."))


async def end_others(call: PageCall) -> web.Response:
    """POST /settings/sessions/end."""
    ended = await sessions.end_sessions(call.node.store, call.member, but=call.session)
    said = call.ngettext("%(num)d session has ended.", "%(num)d sessions have ended.", ended)
    return redirect(call, SESSIONS, said=said % {"num": ended})


PAGES: Final = (
    Page("GET", WALLETS, "my wallets", show_wallets),
    Page("POST", WALLETS + "/{identity}/remove", "a wallet that is not mine any more", remove,
         "fresh", back=WALLETS),
    Page("GET", SESSIONS, "where I am signed in", show_sessions),
    Page("POST", SESSIONS + "/{session}/end", "sign that browser out", end, back=SESSIONS),
    Page("POST", SESSIONS + "/end", "sign all other browsers out", end_others, back=SESSIONS),
)  # fmt: skip
