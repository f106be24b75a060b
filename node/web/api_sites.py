"""Whole sites: claimed, looked at, released."""

from __future__ import annotations

from typing import Final

from node.flows import sites
from node.flows.claim import Claimer, claimer
from node.flows.proofs import Place, Seen, places_of
from node.flows.sites import Outcome, Site, SiteState
from node.web.endpoint import Call
from node.web.models.sites import PlaceOut, SeenOut, SiteCheckOut, SiteIn, SiteOut, SitesOut

WORDS: Final = {
    Outcome.NOT_FOUND: "your proof was not seen: put it at one of the places and look again",
    Outcome.TAKEN: "the site is yours, and what is made under it is yours at once",
    Outcome.STILL_MINE: "the site is yours, and your proof is there",
    Outcome.MINE_UNPROVED: "the site stays yours, but your proof was not seen: put it back",
    Outcome.HOLDER_STANDS: "another member holds the site, whose proof is there as well: take it"
    " away, if you may, and look again",
    Outcome.HOLDER_UNKNOWN: "another member holds the site, and it could not be seen whether that"
    " proof is still there: look again later",
    Outcome.WAITS: "another member holds the site, whose proof is gone: that member was told. Keep"
    " your proof there, and look again when the wait is over",
}


async def ask_site(call: Call, asked: SiteIn) -> SiteOut:
    """POST /sites."""
    site = await sites.ask_site(call.node.claiming, call.member, asked.site)
    return _site(site, await claimer(call.node.claiming, call.member))


async def list_sites(call: Call) -> SitesOut:
    """GET /me/sites."""
    found = await sites.sites_of(call.node.claiming, call.member)
    who = await claimer(call.node.claiming, call.member)
    return SitesOut(items=[_site(one, who) for one in found])


async def read_site(call: Call) -> SiteOut:
    """GET /sites/{site}."""
    site = await sites.site_of(call.node.claiming, call.member, call.row_id("site"))
    return _site(site, await claimer(call.node.claiming, call.member))


async def claim_site(call: Call) -> SiteCheckOut:
    """POST /sites/{site}/claim."""
    number = call.row_id("site")
    call.desk.limits.count_look(call.member)
    check = await sites.check_site(call.node.claiming, call.member, number)
    if check.given:
        call.desk.things.forget_all()
    return SiteCheckOut(
        site=_site(check.site, await claimer(call.node.claiming, call.member)),
        outcome=check.outcome.value,
        words=WORDS[check.outcome],
        given=check.given,
        seen=[tell_seen(one) for one in check.seen],
    )


async def release_site(call: Call) -> SitesOut:
    """DELETE /sites/{site}."""
    await sites.release_site(call.node.claiming, call.member, call.row_id("site"))
    return await list_sites(call)


def tell_place(place: Place) -> PlaceOut:
    """A place, as the API tells it."""
    return PlaceOut(method=place.method.value, place=place.place, text=place.text)


def tell_seen(seen: Seen) -> SeenOut:
    """What was seen, as the API tells it."""
    return SeenOut(method=seen.method.value, place=seen.place, saw=seen.saw.value, words=seen.words)


def _site(site: Site, who: Claimer) -> SiteOut:
    since_us = site.claim.held_us if site.state is SiteState.MINE else site.until_us
    return SiteOut(
        id=site.claim.id,
        site=site.claim.site,
        state=site.state.value,
        mine_from_s=None if since_us is None else since_us // 1_000_000,
        things=site.figures.things,
        things_mine=site.figures.owned,
        waiting=site.figures.waiting,
        places=[tell_place(one) for one in places_of(site.home, who.line, who.nostr_keys)],
    )
