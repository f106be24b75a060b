"""Whole sites: claimed where only who controls the host can write, and never taken in silence.

    ask ──▶ asked ── proof seen, nobody holds it ──────────────────────────────▶ mine ── release
              │                                                                   ▲        or
              └── proof seen, the holder's is gone ──▶ waiting ── WAIT_S, both    │     given way
                      ▲            the holder is told     │       still so ───────┘
                      └── the proof is gone, or the holder's is back ──┘

Whoever holds a site owns what of it nobody owns, and at once whatever is made under it later. What
has an owner stays that member's, whoever holds the site (docs/decisions/0017).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from node.canonical import authority_of, canonical_url
from node.clock import this_month
from node.errors import BadInput, Busy, Conflict, NotFound
from node.flows.claim import Claimer, Claiming, claimer_of, demand_claimer
from node.flows.proofs import Method, Reading, Saw, Seen, found_in, judge, read_places
from node.flows.split import PENDING_MONTHS
from node.ids import MemberId
from node.month import Month
from node.store import members, sites
from node.store.engine import Tx
from node.store.sites import SiteClaim, SiteFigures

WAIT_S: Final = 7 * 86_400
"""How long the holder of a site has to put the own proof back."""
CLAIMS_MAX: Final = 100
"""A member's claims that have not ended."""
_NONE: Final = SiteFigures(0, 0, 0)


class SiteState(StrEnum):
    """How far a claim is."""

    ASKED = "asked"
    WAITING = "waiting"
    MINE = "mine"


class Outcome(StrEnum):
    """What a look came to."""

    NOT_FOUND = "not-found"
    TAKEN = "taken"
    """The site is the member's from now on."""
    STILL_MINE = "still-mine"
    MINE_UNPROVED = "mine-unproved"
    """It stays the member's, but the proof was not seen."""
    HOLDER_STANDS = "holder-stands"
    """Another holds it, whose proof is there as well."""
    HOLDER_UNKNOWN = "holder-unknown"
    """Another holds it, and nobody can tell whether that proof is still there."""
    WAITS = "waits"


@dataclass(frozen=True, slots=True)
class Site:
    """A member's claim, and what it comes to. `until_us`: when it may become the member's."""

    claim: SiteClaim
    state: SiteState
    until_us: int | None
    figures: SiteFigures

    @property
    def home(self) -> str:
        """The canonical URL of its home page."""
        return canonical_url(f"https://{self.claim.site}/")


@dataclass(frozen=True, slots=True)
class SiteCheck:
    """What a look saw. `given`: how many things became the member's by it."""

    site: Site
    outcome: Outcome
    seen: tuple[Seen, ...]
    given: int


def read_site(text: str) -> str:
    """The site that somebody typed: a host, or the URL of its home page.

    Raises BadUrl, BadInput.
    """
    text = text.strip()
    canonical = canonical_url(text if "://" in text else f"https://{text}")
    site = authority_of(canonical)
    if canonical.partition("://")[2] != f"{site}/":
        raise BadInput(
            f"a site is claimed whole: write {site} if all of it is yours. One page of a site that"
            " others share is claimed as a thing"
        )
    return site


async def ask_site(claiming: Claiming, member: MemberId, text: str) -> Site:
    """Begin to claim a site; the same claim again if the member has one.

    Raises BadUrl, BadInput, Conflict, Forbidden.
    """
    site = read_site(text)
    async with claiming.store.write("site.ask") as tx:
        await demand_claimer(tx, claiming.node_url, member)
        mine = await sites.of_member(tx, member)
        if all(one.site != site for one in mine) and len(mine) >= CLAIMS_MAX:
            raise Conflict(f"you have {CLAIMS_MAX} claims of sites: release one that is no use")
        await sites.ask(tx, site, member, claiming.clock.now_us())
        (found,) = [one for one in await sites.of_member(tx, member) if one.site == site]
        return await _with_figures(tx, claiming, found)


async def sites_of(claiming: Claiming, member: MemberId) -> list[Site]:
    """A member's claims that have not ended, by site."""
    async with claiming.store.read() as tx:
        found = await sites.of_member(tx, member)
        figures = await sites.figures(tx, member, _waits_since(claiming))
    return [_site(one, figures) for one in found]


async def site_of(claiming: Claiming, member: MemberId, claim: int) -> Site:
    """One of the member's claims. Raises NotFound, for another's as well."""
    async with claiming.store.read() as tx:
        found = await _mine(tx, member, claim)
        return await _with_figures(tx, claiming, found)


async def check_site(claiming: Claiming, member: MemberId, claim: int) -> SiteCheck:
    """Look for the member's proof at the site now, and let what follows from it happen.

    Raises NotFound, Forbidden, Busy when the site changed hands while it was looked at.
    """
    async with claiming.store.read() as tx:
        claimer = await demand_claimer(tx, claiming.node_url, member)
        mine = await _mine(tx, member, claim)
        holder = await sites.holder(tx, mine.site)
        rival = None
        if holder is not None and holder.member != member:
            rival = await claimer_of(tx, claiming.node_url, holder.member)
    readings = await read_places(claiming.eyes, canonical_url(f"https://{mine.site}/"))
    seen = tuple(judge(reading, claimer.proofs) for reading in readings)
    async with claiming.store.write("site.check") as tx:
        await sites.fence(tx, mine.site, exclusive=True)
        mine = await _mine(tx, member, claim)
        holds = await sites.holder(tx, mine.site)
        if (holds and holds.id) != (holder and holder.id):
            raise Busy("the site has just changed hands: look again")
        look = _Look(mine, claimer, holds, rival, readings, found_in(seen), claiming.clock.now_us())
        outcome, given = await _settle(tx, look)
        found = await _mine(tx, member, claim)
        site = await _with_figures(tx, claiming, found)
    return SiteCheck(site, outcome, seen, given)


async def release_site(claiming: Claiming, member: MemberId, claim: int) -> SiteClaim:
    """End a claim: what is made under the site from now on is nobody's. Raises NotFound."""
    async with claiming.store.write("site.release") as tx:
        mine = await _mine(tx, member, claim)
        await sites.end(tx, mine.id, claiming.clock.now_us())
    return mine


@dataclass(frozen=True, slots=True)
class _Look:
    """All that a look knows. `rival`: who holds the site, if that is another."""

    mine: SiteClaim
    claimer: Claimer
    holder: SiteClaim | None
    rival: Claimer | None
    readings: Sequence[Reading]
    proof: Seen | None
    now_us: int


async def _settle(tx: Tx, look: _Look) -> tuple[Outcome, int]:
    """What the look comes to, written down; how many things were given."""
    mine = look.mine
    if look.proof is None:
        if mine.held:
            return Outcome.MINE_UNPROVED, 0
        await sites.note_seen(tx, mine.id, None, None)
        return Outcome.NOT_FOUND, 0
    method = look.proof.method
    if mine.held:
        await sites.note_seen(tx, mine.id, look.now_us, method)
        await sites.note_others_unseen(tx, mine)
        given = await sites.give_things(tx, mine.site, mine.member, look.now_us)
        return Outcome.STILL_MINE, given  # what an owner who left the node has given up
    if look.holder is not None and look.rival is not None:
        outcome = await _contest(tx, look, look.holder, look.rival, method)
        if outcome is not Outcome.TAKEN:
            return outcome, 0
        await _give_way(tx, look, look.holder)
    await sites.note_seen(tx, mine.id, look.now_us, method)
    await sites.hold(tx, mine.id, look.now_us)
    return Outcome.TAKEN, await sites.give_things(tx, mine.site, mine.member, look.now_us)


async def _contest(
    tx: Tx, look: _Look, holder: SiteClaim, rival: Claimer, method: Method
) -> Outcome:
    """Another holds it: the site passes on only after WAIT_S without that proof."""
    mine, stands = look.mine, _stands(look.readings, holder, rival)
    if stands is Saw.FOUND:
        await sites.note_seen(tx, mine.id, None, None)
        return Outcome.HOLDER_STANDS
    if stands is Saw.NO_ANSWER:
        return Outcome.HOLDER_UNKNOWN
    if mine.seen_us is not None:
        waited = look.now_us >= mine.seen_us + WAIT_S * 1_000_000
        return Outcome.TAKEN if waited else Outcome.WAITS
    await sites.note_seen(tx, mine.id, look.now_us, method)
    words = (
        f"{look.claimer.name} has proved control of {mine.site}, and your proof is not there any"
        f" more. If the site is still yours, put it back and look within {WAIT_S // 86_400} days."
        " What you own stays yours."
    )
    ref = f"{mine.id}:{look.now_us}"
    await members.notify(tx, holder.member, "site", ref, words, look.now_us)
    return Outcome.WAITS


async def _give_way(tx: Tx, look: _Look, holder: SiteClaim) -> None:
    await sites.end(tx, holder.id, look.now_us)
    words = (
        f"{holder.site} has passed to {look.claimer.name}. What you own of it stays yours; what is"
        " made from now on is not."
    )
    ref = f"{holder.id}:passed"
    await members.notify(tx, holder.member, "site", ref, words, look.now_us)


def _stands(readings: Sequence[Reading], holder: SiteClaim, rival: Claimer) -> Saw:
    """FOUND: the holder's proof is there. NOTHING: it is not, where it was before. NO_ANSWER."""
    seen = [judge(reading, rival.proofs) for reading in readings]
    if found_in(seen) is not None:
        return Saw.FOUND
    before = [one for one in seen if one.method == holder.method]
    return Saw.NO_ANSWER if any(one.saw is Saw.NO_ANSWER for one in before) else Saw.NOTHING


async def _mine(tx: Tx, member: MemberId, claim: int) -> SiteClaim:
    found = await sites.get(tx, claim)
    if found is None or found.member != member or found.ended_us is not None:
        raise NotFound("you have no claim of a site with this number")
    return found


def _waits_since(claiming: Claiming) -> Month:
    return this_month(claiming.clock).plus(-PENDING_MONTHS)


async def _with_figures(tx: Tx, claiming: Claiming, claim: SiteClaim) -> Site:
    since = _waits_since(claiming)
    return _site(claim, await sites.figures(tx, claim.member, since, claim.site))


def _site(claim: SiteClaim, figures: dict[str, SiteFigures]) -> Site:
    state, until_us = SiteState.ASKED, None
    if claim.held:
        state = SiteState.MINE
    elif claim.seen_us is not None:
        state, until_us = SiteState.WAITING, claim.seen_us + WAIT_S * 1_000_000
    return Site(claim, state, until_us, figures.get(claim.site, _NONE))
