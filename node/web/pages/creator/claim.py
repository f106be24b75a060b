"""Claim a page or a whole site: what to put where, and *Check now*, which names what it saw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from node.errors import BadInput, Rejected
from node.flows import claim, sites
from node.flows.proofs import Place, Seen, places_of
from node.flows.sites import Outcome, Site
from node.ids import ThingId
from node.store.things import Thing
from node.web.pages.page import Page, PageCall
from node.web.pages.refusals import sentence
from node.web.pages.render import redirect, render

SITE: Final = "site"
PAGE: Final = "page"


@dataclass(frozen=True, slots=True)
class FormView:
    """The form as it was typed, and the claims that are under way."""

    url: str
    what: str
    open: list[Site]


@dataclass(frozen=True, slots=True)
class SiteView:
    """A claim of a site, and what was seen just now; `outcome` None: nobody has looked yet."""

    site: Site
    places: list[Place]
    outcome: Outcome | None = None
    given: int = 0
    seen: tuple[Seen, ...] = ()


@dataclass(frozen=True, slots=True)
class ThingView:
    """A claim of one page. `claimed`: it is the member's; `looked`: it was looked at just now."""

    thing: Thing
    places: list[Place]
    claimed: bool
    looked: bool = False
    seen: tuple[Seen, ...] = ()


async def show(call: PageCall) -> web.Response:
    """GET /creator/claim."""
    return await _form(call, call.asked("url"), "")


async def ask(call: PageCall) -> web.Response:
    """POST /creator/claim: to the page that says what to put where."""
    typed, what = call.field("url"), call.field("what")
    node = call.node
    try:
        if what == SITE:
            site = await sites.ask_site(node.claiming, call.member, typed)
            return redirect(call, f"/creator/claim/site/{site.claim.id}")
        if what != PAGE:
            raise BadInput("choose whether the whole site is yours, or this page")
        url = typed if "://" in typed else f"https://{typed}"
        thing = await claim.add_thing(node.store, node.clock, url, "")
        return redirect(call, f"/creator/claim/thing/{thing.id}")
    except Rejected as error:
        call.browser.say_now("error", sentence(error))
        return await _form(call, typed, what, status=error.status)


async def show_site(call: PageCall) -> web.Response:
    """GET /creator/claim/site/{site}."""
    site = await sites.site_of(call.node.claiming, call.member, call.row_id("site"))
    return render(call, "creator/site.html", view=await _site(call, site))


async def check_site(call: PageCall) -> web.Response:
    """POST /creator/claim/site/{site}: look now."""
    number = call.row_id("site")
    call.desk.limits.count_look(call.member)
    check = await sites.check_site(call.node.claiming, call.member, number)
    if check.given:
        call.desk.things.forget_all()
    shown = await _site(call, check.site)
    view = SiteView(shown.site, shown.places, check.outcome, check.given, check.seen)
    return render(call, "creator/site.html", view=view)


async def release_site(call: PageCall) -> web.Response:
    """POST /creator/claim/site/{site}/release."""
    ended = await sites.release_site(call.node.claiming, call.member, call.row_id("site"))
    said = call.gettext("%(site)s is released. What you own of it stays yours.")
    return redirect(call, "/creator", said=said % {"site": ended.site})


async def show_thing(call: PageCall) -> web.Response:
    """GET /creator/claim/thing/{thing}."""
    thing = await claim.get_thing(call.node.store, ThingId(call.row_id("thing")))
    return render(call, "creator/thing.html", view=await _thing(call, thing))


async def check_thing(call: PageCall) -> web.Response:
    """POST /creator/claim/thing/{thing}: look now."""
    number = ThingId(call.row_id("thing"))
    call.desk.limits.count_look(call.member)
    result = await claim.claim(call.node.claiming, call.member, number)
    call.desk.things.forget(number)
    shown = await _thing(call, result.thing)
    view = ThingView(shown.thing, shown.places, shown.claimed, looked=True, seen=result.seen)
    return render(call, "creator/thing.html", view=view)


async def _form(call: PageCall, url: str, what: str, *, status: int = 200) -> web.Response:
    mine = await sites.sites_of(call.node.claiming, call.member)
    under_way = [one for one in mine if not one.claim.held]
    has_path = bool(url.partition("://")[2].partition("/")[2])
    chosen = what if what in {SITE, PAGE} else (PAGE if has_path else SITE)
    view = FormView(url, chosen, under_way)
    return render(call, "creator/claim.html", view=view, status=status)


async def _site(call: PageCall, site: Site) -> SiteView:
    who = await claim.claimer(call.node.claiming, call.member)
    return SiteView(site, places_of(site.home, who.line, who.nostr_keys))


async def _thing(call: PageCall, thing: Thing) -> ThingView:
    who = await claim.claimer(call.node.claiming, call.member)
    places = places_of(thing.url, who.line, who.nostr_keys)
    return ThingView(thing, places, thing.owner == call.member)


PAGES: Final = (
    Page("GET", "/creator/claim", "claim a page or a whole site", show, query=("url",)),
    Page("POST", "/creator/claim", "begin a claim", ask, fields=("url", "what")),
    Page("GET", "/creator/claim/site/{site}", "what to put where at a site", show_site),
    Page("POST", "/creator/claim/site/{site}", "look for it now", check_site,
         back="/creator/claim/site/{site}"),
    Page("POST", "/creator/claim/site/{site}/release", "release the site", release_site,
         back="/creator/claim/site/{site}"),
    Page("GET", "/creator/claim/thing/{thing}", "what to put where on a page", show_thing),
    Page("POST", "/creator/claim/thing/{thing}", "look for it now", check_thing,
         back="/creator/claim/thing/{thing}"),
)  # fmt: skip
