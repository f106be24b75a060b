"""A private Atom feed of what a creator was paid and what is held: pay day without e-mail.

Its address is a token that can do nothing but read it (`join.FEED`): random, shown once, listed and
ended under Settings as every token is. Feed readers send no header of ours, so it stands in the
path; `log.py` blanks it. Whoever asks with another address learns only that nothing is there.
"""

from __future__ import annotations

import hashlib
from typing import Final

from aiohttp import web

from node.errors import Forbidden, NotFound, Unauthorized
from node.flows import join
from node.flows.look import member_of
from node.flows.payday import News, Told, news_of
from node.money import Amount, Asset
from node.month import Month
from node.settlement.payout import PayoutState
from node.store.held import HeldMonth
from node.store.history import PayoutRecord
from node.store.members import Notice, Token
from node.web import reading
from node.web.atom import MEDIA, Entry, Feed, Link, write
from node.web.pages.creator import payouts
from node.web.pages.formats import Formats
from node.web.pages.page import Page, PageCall
from node.web.pages.refusals import sentence
from node.web.session import demand_scope

ENTRIES_MAX: Final = 50
ENDS_SOON_S: Final = 30 * 86_400
"""So long before its address ends, the feed itself says so."""
HEADERS: Final = {"Cache-Control": "private, no-store", "Referrer-Policy": "no-referrer"}
_SECOND_US: Final = 1_000_000


async def make(call: PageCall) -> web.Response:
    """POST /creator/payouts: a new address, which this one page shows."""
    node = call.node
    label = call.gettext("feed of my payments")
    made = await join.make_token(
        node.store, node.clock, call.member, label, frozenset({join.FEED}), join.TOKEN_DAYS_MAX
    )
    return await payouts.show_with(
        call, f"{call.node.settings.web.base_url}/feeds/{made.secret}/payments.atom"
    )


async def show(call: PageCall) -> web.Response:
    """GET /feeds/{token}/payments.atom: 200 with an ETag, or 304."""
    token = await _token(call)
    news = await news_of(call.node.store, token.member, ENTRIES_MAX)
    name = (await member_of(call.node.store, token.member)).name
    found = [*_ends_soon(call, token), *(_entry(call, one) for one in news)][:ENTRIES_MAX]
    page = call.node.settings.web.base_url + payouts.PATH
    text = write(Feed(
        id=f"urn:flattr-node:payments:{token.id}",
        title=call.gettext("Payments to %(name)s") % {"name": name},
        updated_s=max((one.updated_s for one in found), default=token.created_us // _SECOND_US),
        author=f"flattr-node ({call.node.settings.network})",
        page=call.node.settings.web.base_url,
        links=(Link("alternate", page, "text/html"),),  # no rel="self": it would hold the token
        entries=tuple(found),
    ))  # fmt: skip
    tag = f'"{hashlib.sha256(text.encode()).hexdigest()}"'
    headers = {**HEADERS, "ETag": tag}
    if reading.has_already(call.request, tag):
        return web.Response(status=reading.NOT_MODIFIED, headers=headers)
    return web.Response(text=text, content_type=MEDIA, charset="utf-8", headers=headers)


async def _token(call: PageCall) -> Token:
    """Whose feed it is. Raises NotFound, the same for every address that is not good now."""
    try:
        token = await call.desk.sessions.authenticate(f"Bearer {call.request.match_info['token']}")
        demand_scope(token, join.FEED)
    except (Unauthorized, Forbidden) as error:
        raise NotFound("there is no feed at this address") from error
    return token


def _ends_soon(call: PageCall, token: Token) -> list[Entry]:
    ends_s = token.expires_us // _SECOND_US
    if call.node.clock.now_us() // _SECOND_US < ends_s - ENDS_SOON_S:
        return []
    day = Formats(call.language).date(ends_s)
    title = call.gettext("This feed ends on %(date)s") % {"date": day}
    words = call.gettext("Make another address on the page of your payouts.")
    name = f"ends:{token.id}:{ends_s}"
    return [_named(call, name, title, ends_s - ENDS_SOON_S, words)]


def _entry(call: PageCall, news: News) -> Entry:
    title, words = _told(call, news.told)
    return _named(call, news.id, title, news.at_us // _SECOND_US, words)


def _told(call: PageCall, told: Told) -> tuple[str, str]:
    """(title, words) of one entry."""
    match told:
        case PayoutRecord() if told.state is PayoutState.PAID:
            return _paid_title(call, told), _proof(call, told)
        case PayoutRecord():
            amount = Amount(told.units, told.asset)
            return _held_title(call, amount, told.month), _to_do(call, told)
        case HeldMonth():
            return _held_title(call, told.amount, told.month), _dues(call, told)
        case Notice():
            return call.gettext("What you should know"), sentence(told.words)


def _paid_title(call: PageCall, one: PayoutRecord) -> str:
    amount = Formats(call.language).amount(Amount(one.units, one.asset))
    if one.month is None:
        return call.gettext("%(amount)s paid: your withdrawal") % {"amount": amount}
    month = Formats(call.language).month(one.month)
    return call.gettext("%(amount)s paid for %(month)s") % {"amount": amount, "month": month}


def _held_title(call: PageCall, amount: Amount, month: Month | None) -> str:
    written = Formats(call.language)
    if month is None:
        return call.gettext("%(amount)s held") % {"amount": written.amount(amount)}
    named = {"amount": written.amount(amount), "month": written.month(month)}
    return call.gettext("%(amount)s held of %(month)s") % named


def _proof(call: PageCall, one: PayoutRecord) -> str:
    words = call.gettext("Proof: the preimage")
    if one.asset is not Asset.SAT:
        words = call.gettext("Proof: the transaction")
    return f"{words}: {one.proof or ''}"


def _to_do(call: PageCall, one: PayoutRecord) -> str:
    """Why it is held, and what its receiver can do."""
    words = {
        "target": call.gettext("Say where to be paid, and it is sent by itself."),
        "wait": call.gettext("It goes on by itself when that is over."),
        "retry": call.gettext("Look after your wallet, and try it again among your payouts."),
    }
    mend = payouts.mend_of(one, later=False)
    return f"{sentence(one.reason or '')} {words.get(mend, '')}"


def _dues(call: PageCall, one: HeldMonth) -> str:
    [dues] = [rules.dues for rules in call.node.every_rules if rules.asset is one.amount.asset]
    words = call.gettext(
        "Have %(dues)s or more in your pot when a month closes, and all of it is paid to you."
    )
    return words % {"dues": Formats(call.language).amount(dues)}


def _named(call: PageCall, name: str, title: str, at_s: int, words: str) -> Entry:
    links = (Link("alternate", call.node.settings.web.base_url + payouts.PATH, "text/html"),)
    return Entry(f"urn:flattr-node:{name}", title, at_s, links, words)


PAGES: Final = (
    Page("POST", payouts.PATH, "a private feed of my payments", make, "fresh", query=("after",),
         back=payouts.PATH),
    Page("GET", "/feeds/{token}/payments.atom", "what I was paid, for a feed reader", show,
         "anyone"),
)  # fmt: skip
