"""What is a creator's: sites, things, and the flattrs that wait for a claim to be proved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from node.flows import look, public, sites
from node.flows.sites import Site
from node.store.popularity import Counted, CreatorCount
from node.web.pages.page import Page, PageCall
from node.web.pages.public.creators import next_place, read_place
from node.web.pages.render import render

SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class HomeView:
    """What the page shows. `named`: the creator has a public page under this name."""

    name: str
    named: bool
    count: CreatorCount
    today: int
    sites: list[Site]
    things: list[Counted]
    next: str | None
    has_target: bool


async def show(call: PageCall) -> web.Response:
    """GET /creator."""
    node, member = call.node, call.member
    who = await look.member_of(node.store, member)
    after = read_place(call.asked("after"))
    count, found = await public.things_of(node.store, node.clock, member, SHOWN, after)
    targets = [await look.target_of(node.store, rules, member) for rules in node.every_rules]
    view = HomeView(
        name=who.name,
        named=count.things > 0 and who.suspended_us is None,
        count=count,
        today=max(0, await public.flattrs_today(node.store, node.clock, member)),
        sites=await sites.sites_of(node.claiming, member),
        things=found,
        next=next_place(found, SHOWN),
        has_target=any(targets),
    )
    return render(call, "creator/home.html", view=view)


PAGES: Final = (
    Page("GET", "/creator", "what is mine: things, sites, and what waits for a claim", show,
         query=("after",)),
)  # fmt: skip
