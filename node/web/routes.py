"""Every URL of the node, in one table; the router, the document and docs/api.md are made of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias, cast

from aiohttp import web

from node.web import (
    api_account,
    api_earnings,
    api_members,
    api_money,
    api_months,
    api_public,
    api_sites,
    api_stablecoin,
    api_things,
    health,
)
from node.web.clicks import ClickDesk
from node.web.downloads import CSV, JSON, PLAIN
from node.web.embed.counters import Counters
from node.web.embed.urls import EMBEDS, embed_handlers
from node.web.endpoint import RawHandler, Route, bind
from node.web.fallback import expect, refuse
from node.web.keys import DESK
from node.web.models import account as a
from node.web.models import earnings as e
from node.web.models import members as m
from node.web.models import money as p
from node.web.models import months as n
from node.web.models import sites as w
from node.web.models import stablecoin as s
from node.web.models import things as t
from node.web.models.base import PageQuery
from node.web.models.health import AliveOut, DocumentOut, ProblemKindOut, ReadyOut
from node.web.month_file import serve_month_file
from node.web.openapi import serve_document
from node.web.pages.page import bind as bind_page
from node.web.pages.table import ALL_PAGES

RequestHandler: TypeAlias = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

API: Final = "/api/v1"
CLICK_DESK: Final = web.AppKey("clicks", ClickDesk)
"""Who answers `POST /flattrs`."""

MEMBERS: Final = (
    Route("POST", "/members", "join: a new member and a first token, shown once", m.JoinedOut,
          api_members.make_member, body=m.JoinIn, status=201),
    Route("GET", "/me", "who the token acts for", m.MemberOut, api_members.read_me, "read"),
    Route("PATCH", "/me", "dues from earnings or not, named to creators or not", m.MemberOut,
          api_members.change_me, "money", body=m.MemberIn),
    Route("GET", "/me/export", "everything that the node has of me", a.ExportOut,
          api_account.export, "read", media=JSON),
    Route("GET", "/me/closing", "what is in the way of closing my account", a.LeavingOut,
          api_account.read_leaving, "read"),
    Route("DELETE", "/me", "close my account; its money must be taken out first", a.LeftOut,
          api_account.close_account, "money", query=a.LeaveQuery),
    Route("GET", "/tokens", "my tokens", m.TokensOut, api_members.list_tokens, "read"),
    Route("POST", "/tokens", "another token, with some of this one's scopes", m.NewTokenOut,
          api_members.make_token, "money", body=m.TokenIn, status=201),
    Route("DELETE", "/tokens/{token}", "revoke a token", m.TokensOut, api_members.end_token,
          "money"),
    Route("GET", "/payout-target", "where I am paid in an asset", m.TargetOut,
          api_members.read_target, "read", query=m.TargetQuery),
    Route("GET", "/payout-targets", "where I am paid, in each asset", m.TargetsOut,
          api_members.list_targets, "read"),
    Route("PUT", "/payout-target", "be paid here; it is tried first", m.TargetOut,
          api_members.set_target, "money", body=m.TargetIn),
    Route("GET", "/notices", "what I should know", m.NoticesOut, api_members.list_notices, "read",
          query=PageQuery),
)  # fmt: skip

MONEY: Final = (
    Route("POST", "/deposits", "an invoice to pay money in", p.DepositOut, api_money.ask_deposit,
          "money", body=p.DepositIn, status=201, key="flow"),
    Route("GET", "/deposits", "my deposits", p.DepositsOut, api_money.list_deposits, "read",
          query=PageQuery),
    Route("GET", "/deposits/{deposit}", "one deposit", p.DepositOut, api_money.read_deposit,
          "read"),
    Route("GET", "/balance", "all my money, by where it is", p.BalanceOut, api_money.read_balance,
          "read"),
    Route("PUT", "/pot", "make this month's pot hold so much", p.PotOut, api_money.set_pot,
          "money", body=p.PotIn, key="answer"),
    Route("PUT", "/means", "fill my pot up to so much each month", p.MeansOut,
          api_money.set_means, "money", body=p.MeansIn),
    Route("GET", "/payouts", "my payouts and withdrawals, with proof", p.PayoutsOut,
          api_money.list_payouts, "read", query=PageQuery),
    Route("GET", "/payouts/{payout}", "one payout", p.PayoutOut, api_money.read_payout, "read"),
    Route("POST", "/payouts/{payout}/retry", "try a payout of mine again now", p.PayoutOut,
          api_account.retry_payout, "money"),
    Route("GET", "/ledger.csv", "every posting that touches my money", e.FileOut,
          api_earnings.download_ledger, "read", media=CSV),
    Route("GET", "/ledger.beancount", "the same for Beancount", e.FileOut,
          api_earnings.download_beancount, "read", media=PLAIN),
    Route("POST", "/withdrawals", "available money, out again", p.PayoutOut,
          api_money.ask_withdrawal, "money", body=p.WithdrawalIn, status=201, key="flow"),
)  # fmt: skip

THINGS: Final = (
    Route("POST", "/things", "the thing of a URL, made if it is new", t.ThingOut,
          api_things.add_thing, "things", body=t.ThingIn, key="answer"),
    Route("GET", "/things", "find a thing by its URL", t.ThingOut, api_things.find_thing, "read",
          query=t.ThingUrlQuery),
    Route("GET", "/me/things", "the things I own", t.ThingsOut, api_things.list_mine, "read",
          query=PageQuery),
    Route("GET", "/things/{thing}", "one thing", t.ThingOut, api_things.read_thing, "read"),
    Route("POST", "/things/{thing}/claim", "look for my line on the site, and make it mine",
          t.ClaimOut, api_things.claim_thing, "things"),
    Route("POST", "/sites", "begin to claim a whole site", w.SiteOut, api_sites.ask_site, "things",
          body=w.SiteIn, status=201, key="answer"),
    Route("GET", "/me/sites", "the sites I claim", w.SitesOut, api_sites.list_sites, "read"),
    Route("GET", "/sites/{site}", "one of them, and what to put where", w.SiteOut,
          api_sites.read_site, "read"),
    Route("POST", "/sites/{site}/claim", "look for my proof at the site, and make it mine",
          w.SiteCheckOut, api_sites.claim_site, "things"),
    Route("DELETE", "/sites/{site}", "release a site; what I own of it stays mine", w.SitesOut,
          api_sites.release_site, "things"),
    Route("POST", "/subscriptions", "flattr a thing for 3, 6 or 12 months", t.SubscriptionOut,
          api_things.make_subscription, "click", body=t.SubscriptionIn, key="answer"),
    Route("GET", "/subscriptions", "what repeats", t.SubscriptionsOut,
          api_things.list_subscriptions, "read"),
    Route("DELETE", "/subscriptions/{thing}", "repeat it no more", t.SubscriptionsOut,
          api_things.end_subscription, "click"),
    Route("GET", "/month", "my month: pot, flattrs, what each is worth", n.MonthOut,
          api_months.read_month, "read", query=n.MonthPageQuery),
    Route("GET", "/months/{month}", "that month, or its receipt once it is closed", n.MonthOut,
          api_months.read_that_month, "read", query=n.MonthPageQuery),
    Route("GET", "/months/{month}/receipt.csv", "the receipt of a closed month, as CSV",
          e.FileOut, api_earnings.download_receipt, "read", media=CSV),
    Route("GET", "/earnings", "what my things earned by month, and an estimate of this one",
          e.EarnedMonthsOut, api_earnings.list_earnings, "read", query=e.EarnedMonthsQuery),
    Route("GET", "/earnings/{month}", "what my things brought in a closed month", e.EarningsOut,
          api_earnings.read_earnings, "read", query=e.EarningsQuery),
    Route("GET", "/earnings.csv", "all of it, with the columns of Flattr's reports", e.FileOut,
          api_earnings.download_earnings, "read", query=e.AssetQuery, media=CSV),
)  # fmt: skip

STABLECOIN: Final = (
    Route("POST", "/stablecoin/challenges", "the text that links an address when it is signed",
          s.ChallengeOut, api_stablecoin.make_challenge, "money", body=s.ChallengeIn, status=201),
    Route("POST", "/stablecoin/link", "link the address that has signed the text", s.LinkOut,
          api_stablecoin.link_address, "money", body=s.LinkIn),
    Route("GET", "/stablecoin/account", "my account in the vault, and the calls for my wallet",
          s.AccountOut, api_stablecoin.read_account, "read", query=s.AccountQuery),
)  # fmt: skip

FLATTR: Final = Route("POST", "/flattrs", "flattr a thing by number or URL", t.FlattrOut,
                      scope="click", body=t.FlattrIn, key="flow")  # fmt: skip
UNDO: Final = Route("DELETE", "/flattrs", "take a flattr of this month back", t.FlattrOut,
                    scope="click", query=t.FlattrQuery, key="flow")  # fmt: skip
FLATTR_THING: Final = Route("POST", "/things/{thing}/flattr", "flattr this thing", t.FlattrOut,
                            scope="click", body=t.ThingFlattrIn, body_needed=False,
                            key="flow")  # fmt: skip
UNDO_THING: Final = Route("DELETE", "/things/{thing}/flattr", "take it back", t.FlattrOut,
                          scope="click", query=t.MonthQuery, key="flow")  # fmt: skip
CLICKS: Final = (FLATTR, UNDO, FLATTR_THING, UNDO_THING)

COUNT: Final = Route("GET", "/public/things/{thing}/count", "its counter, cacheable", t.CountOut)
COUNT_URL: Final = Route("GET", "/public/count", "the counter of a URL, cacheable; 0 if unknown",
                         t.CountOut, query=t.ThingUrlQuery)  # fmt: skip
MONTH_FILE: Final = Route("GET", "/public/months/{month}/stablecoin",
                          "the file of a month that is sealed on the vault",
                          s.MonthFileOut)  # fmt: skip
PUBLIC: Final = (
    Route("GET", "/public/node", "what this node is", t.PublicNodeOut, api_public.read_node),
    Route("GET", "/public/months", "the totals of closed months", n.ClosedMonthsOut,
          api_public.list_months, query=PageQuery),
    MONTH_FILE,
    Route("GET", "/public/things", "a thing and its counters, by URL", t.PublicThingOut,
          api_public.find_thing, query=t.ThingUrlQuery),
    COUNT,
    COUNT_URL,
    Route("GET", "/public/most-flattred", "the most flattred things of a month", t.MostFlattredOut,
          api_public.list_most_flattred, query=t.MostFlattredQuery),
    Route("GET", "/public/most-flattred-this-week", "the most flattred of the last seven days",
          t.MostOfWeekOut, api_public.list_most_flattred_week, query=t.MostOfWeekQuery),
)  # fmt: skip

DOCUMENT: Final = Route("GET", "/openapi.json", "this table as OpenAPI 3.1", DocumentOut)
ROOT: Final = (
    Route("GET", "/healthz", "is the process alive", AliveOut, health.read_alive),
    Route("GET", "/readyz", "can the node do its work; 503 if not", ReadyOut, health.read_ready),
    Route("GET", "/problems/{slug}", "what the `type` of a problem means", ProblemKindOut,
          api_public.explain_problem),
    DOCUMENT,
)  # fmt: skip
"""Not under /api/v1."""


def all_routes() -> dict[str, tuple[Route, ...]]:
    """Groups of routes by name; the paths are whole."""
    groups = {
        "clicks": CLICKS, "members": MEMBERS, "money": MONEY, "stablecoin": STABLECOIN,
        "things": THINGS, "public": PUBLIC,
    }  # fmt: skip
    whole = {name: tuple(route.under(API) for route in some) for name, some in groups.items()}
    return {**whole, "node": ROOT}


def past_the_router(app: web.Application, routed: RequestHandler) -> RequestHandler:
    """The handler of all requests: a click at once, the rest by the router, which takes a tenth."""
    click, path = app[CLICK_DESK].flattr, FLATTR.under(API).path

    def handle(request: web.BaseRequest) -> Awaitable[web.StreamResponse]:
        ours = request.raw_path == path and request.method == "POST"
        if ours and "Expect" not in request.headers:
            return click(cast("web.Request", request))
        return routed(request)

    return handle


def add_routes(app: web.Application) -> None:
    """Give the application its handlers. Clicks come first: the router looks in order."""
    desk = app[DESK]
    clicks, counters = ClickDesk(desk), Counters(desk.node)
    app[CLICK_DESK] = clicks
    own: dict[Route, RawHandler] = {
        FLATTR.under(API): clicks.flattr,
        UNDO.under(API): clicks.undo,
        FLATTR_THING.under(API): clicks.flattr_thing,
        UNDO_THING.under(API): clicks.undo_thing,
        COUNT.under(API): counters.count,
        COUNT_URL.under(API): counters.count_of_url,
        MONTH_FILE.under(API): serve_month_file,
        DOCUMENT: serve_document(all_routes(), desk.node.settings.network),
    }
    routes = [route for some in all_routes().values() for route in some]
    for route in routes:
        handler = own.get(route) or bind(route, route.demand_handler())
        _add(app, route.method, route.path, handler)
    for page in ALL_PAGES:
        _add(app, page.method, page.path, bind_page(page))
    for embed, answer in embed_handlers(counters).items():
        _add(app, embed.method, embed.path, answer)
    taken = [(route.method, route.path) for route in routes]
    taken += [(page.method, page.path) for page in ALL_PAGES]
    taken += [(embed.method, embed.path) for embed in EMBEDS]
    app.router.add_route("*", "/{anything:.*}", refuse(taken), expect_handler=expect)


def _add(app: web.Application, method: str, path: str, handler: RawHandler) -> None:
    app.router.add_route(method, path, handler, expect_handler=expect)
    if method == "GET":  # RFC 9110 §9.3.2; aiohttp leaves the body out
        app.router.add_route("HEAD", path, handler, expect_handler=expect)
