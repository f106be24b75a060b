"""Settings: what is shown of a member, dues, tokens for programs, notices; and the way out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from node.flows import join, look
from node.flows.join import NewToken
from node.flows.readers import set_shows_flattrs
from node.money import Amount
from node.store.engine import NEWEST
from node.store.members import Notice, Token
from node.web import cursor
from node.web.pages.page import Page, PageCall
from node.web.pages.render import redirect, render

PATH: Final = "/settings"
NOTICES: Final = "/settings/notices"
TOKENS: Final = "/settings/tokens"
LATEST: Final = 3
NOTICES_A_PAGE: Final = 25
LABEL_MAX: Final = 100
DAYS: Final = (30, 90, 366)
SCOPES: Final = ("read", "click", "things", "money")
_SECOND_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class NoticeView:
    """Something that the member should know."""

    words: str
    at_s: int


@dataclass(frozen=True, slots=True)
class TokenView:
    """One token for a program; `over`: revoked or expired."""

    id: str
    label: str
    scopes: tuple[str, ...]
    expires_s: int
    over: bool


@dataclass(frozen=True, slots=True)
class SettingsView:
    """The page."""

    name: str
    suspended: bool
    shows_flattrs: bool
    dues_from_earnings: bool
    dues: Amount
    notices: list[NoticeView]
    tokens: int


@dataclass(frozen=True, slots=True)
class TokensView:
    """Tokens, and the one that was just made."""

    tokens: list[TokenView]
    made: NewToken | None
    scopes: tuple[str, ...]
    days: tuple[int, ...]


async def show(call: PageCall) -> web.Response:
    """GET /settings."""
    node = call.node
    who = await look.member_of(node.store, call.member)
    now_us = node.clock.now_us()
    tokens = await look.tokens_of(node.store, call.member)
    notices = await look.notices_of(node.store, call.member, LATEST, NEWEST)
    view = SettingsView(
        name=who.name,
        suspended=who.suspended_us is not None,
        shows_flattrs=who.shows_flattrs,
        dues_from_earnings=who.dues_from_earnings,
        dues=node.rules.dues,
        notices=[_notice(one) for one in notices],
        tokens=sum(not _token(one, now_us).over for one in tokens),
    )
    return render(call, "settings/home.html", view=view)


async def change(call: PageCall) -> web.Response:
    """POST /settings: a box that is not ticked is not sent."""
    store = call.node.store
    await set_shows_flattrs(store, call.member, bool(call.field("shows_flattrs")))
    await look.set_dues_from_earnings(store, call.member, bool(call.field("dues_from_earnings")))
    return redirect(call, PATH, said=call.gettext("Saved."))


async def list_notices(call: PageCall) -> web.Response:
    """GET /settings/notices."""
    after = cursor.read(call.asked("after") or None)
    found = await look.notices_of(call.node.store, call.member, NOTICES_A_PAGE, after)
    places = [(one.created_us, f"{one.kind}:{one.ref}") for one in found]
    return render(
        call, "settings/notices.html", notices=[_notice(one) for one in found],
        next=cursor.after(places, NOTICES_A_PAGE),
    )  # fmt: skip


async def list_tokens(call: PageCall) -> web.Response:
    """GET /settings/tokens."""
    return await _show_tokens(call, None)


async def make_token(call: PageCall) -> web.Response:
    """POST /settings/tokens: a token, whose secret this one page shows."""
    days = call.field("days")
    scopes = frozenset(scope for scope in SCOPES if call.field(scope))
    label = " ".join(call.field("label").split())[:LABEL_MAX]
    label = "".join(one for one in label if one.isprintable()) or call.gettext("without a name")
    made = await join.make_token(
        call.node.store, call.node.clock, call.member, label, scopes,
        int(days) if days in {str(one) for one in DAYS} else DAYS[0],
    )  # fmt: skip
    return await _show_tokens(call, made)


async def end_token(call: PageCall) -> web.Response:
    """POST /settings/tokens/{token}/end."""
    token = call.name("token")
    await join.revoke_token(call.node.store, call.node.clock, call.member, token)
    call.desk.sessions.forget(token)
    return redirect(call, TOKENS, said=call.gettext("The token has ended."))


async def _show_tokens(call: PageCall, made: NewToken | None) -> web.Response:
    now_us = call.node.clock.now_us()
    found = [_token(one, now_us) for one in await look.tokens_of(call.node.store, call.member)]
    found.sort(key=lambda one: one.over)
    return render(call, "settings/tokens.html", view=TokensView(found, made, SCOPES, DAYS))


def _notice(one: Notice) -> NoticeView:
    return NoticeView(one.words, one.created_us // _SECOND_US)


def _token(one: Token, now_us: int) -> TokenView:
    over = one.revoked_us is not None or one.expires_us <= now_us
    held = tuple(scope for scope in (*SCOPES, join.FEED) if scope in one.scopes)
    return TokenView(one.id, one.label, held, one.expires_us // _SECOND_US, over)


PAGES: Final = (
    Page("GET", PATH, "what is mine to change", show),
    Page("POST", PATH, "the same, sent", change, fields=("shows_flattrs", "dues_from_earnings"),
         back=PATH),
    Page("GET", NOTICES, "what I should know", list_notices, query=("after",)),
    Page("GET", TOKENS, "tokens for programs", list_tokens),
    Page("POST", TOKENS, "another token", make_token, "fresh", fields=("label", "days", *SCOPES),
         back=TOKENS),
    Page("POST", TOKENS + "/{token}/end", "a token that is not needed any more", end_token,
         back=TOKENS),
)  # fmt: skip
