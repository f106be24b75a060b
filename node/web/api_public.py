"""What needs no token: the node, closed months, things, health, problems, the document.

The counter of a thing is what other sites embed, so it is the one that may be asked often: an
answer is kept for COUNT_FRESH_S, its ETag is the count, and caches may keep it as long.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web

from node.canonical import canonical_url
from node.clock import this_month
from node.flows import public
from node.ids import ThingId
from node.month import Month
from node.web import problems, reading
from node.web.endpoint import Call
from node.web.keys import DESK
from node.web.models.base import PageQuery
from node.web.models.health import ProblemKindOut
from node.web.models.things import (
    ClosedMonthOut,
    ClosedMonthsOut,
    CountOut,
    MostFlattredLine,
    MostFlattredOut,
    MostFlattredQuery,
    PublicNodeOut,
    PublicThingOut,
    ThingUrlQuery,
)

COUNT_FRESH_S: Final = 60
COUNTS_KEPT_MAX: Final = 50_000
_NOT_MODIFIED: Final = 304


class Counters:
    """GET /public/things/{thing}/count, with what was answered lately."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[bytes, str, int]] = {}

    async def count(self, request: web.Request) -> web.Response:
        """The counter: 200 with an ETag, or 304."""
        desk = request.app[DESK]
        network = desk.node.settings.network
        try:
            desk.limits.count(desk.limits.address_of(request))
            reading.query(request, ())
            number = reading.row_id(request.match_info["thing"])
            kept = self._kept.get(number)
            if kept is None or kept[2] <= desk.node.clock.now_us():
                kept = await self._read(request, number)
        except Exception as error:  # noqa: BLE001  every error is told in one place
            return problems.answer(problems.tell(error), network)
        body, tag, _ = kept
        headers = {
            "ETag": tag,
            "Cache-Control": f"public, max-age={COUNT_FRESH_S}",
            "Access-Control-Allow-Origin": "*",
            "Flattr-Network": network,
        }
        asked = request.headers.get("If-None-Match", "")
        if asked == "*" or tag in (one.strip().removeprefix("W/") for one in asked.split(",")):
            return web.Response(status=_NOT_MODIFIED, headers=headers)
        return web.Response(body=body, headers={**headers, "Content-Type": "application/json"})

    async def _read(self, request: web.Request, number: int) -> tuple[bytes, str, int]:
        node = request.app[DESK].node
        found = await public.popularity(node.store, node.clock, ThingId(number))
        told = CountOut(
            thing=number,
            flattrs=found.flattrs,
            flattrs_this_month=found.this_month,
            network=node.settings.network,
        )
        tag = f'"{found.flattrs:x}-{found.this_month:x}"'
        fresh_until_us = node.clock.now_us() + COUNT_FRESH_S * 1_000_000
        kept = (told.model_dump_json().encode(), tag, fresh_until_us)
        if len(self._kept) >= COUNTS_KEPT_MAX:
            del self._kept[next(iter(self._kept))]
        self._kept[number] = kept
        return kept


async def read_node(call: Call) -> PublicNodeOut:
    """GET /public/node."""
    node = call.node
    seen = await call.desk.lightning.look()
    return PublicNodeOut(
        name="flattr-node",
        network=node.settings.network,
        month=str(this_month(node.clock)),
        commission_bps=node.rules.commission_bps,
        dues_msat=node.rules.dues.units,
        payout_min_msat=node.rules.payout_min.units,
        lightning=seen.name,
        simulated=seen.simulated,
        real_money=node.settings.network == "mainnet",
    )


async def list_months(call: Call, page: PageQuery) -> ClosedMonthsOut:
    """GET /public/months."""
    before = None if page.after is None else Month.parse(page.after)
    found = await public.closed_months(call.node.store, call.node.rules, before, page.limit)
    items = [
        ClosedMonthOut(
            month=str(one.month),
            pots_msat=one.figures.pots,
            distributed_msat=one.figures.distributed,
            commission_msat=one.figures.commission,
            carried_msat=one.figures.carried,
            readers=one.figures.readers,
            creators=one.figures.creators,
            flattrs=one.figures.flattrs,
            digest=one.digest,
            closed_s=one.frozen_us // 1_000_000,
        )
        for one in found
    ]
    more = str(found[-1].month) if len(found) == page.limit else None
    return ClosedMonthsOut(items=items, next=more)


async def find_thing(call: Call, asked: ThingUrlQuery) -> PublicThingOut:
    """GET /public/things?url=."""
    node = call.node
    canonical = canonical_url(asked.url)
    found = await public.popularity_of_url(node.store, node.clock, canonical)
    return PublicThingOut(
        id=found.thing.id,
        url=found.thing.url,
        title=found.thing.title,
        claimed=found.thing.owner is not None,
        flattrs=found.flattrs,
        waiting=found.waiting,
    )


async def list_most_flattred(call: Call, asked: MostFlattredQuery) -> MostFlattredOut:
    """GET /public/most-flattred."""
    node = call.node
    month = this_month(node.clock) if asked.month is None else Month.parse(asked.month)
    found = await public.most_flattred(node.store, month, asked.limit)
    lines = [
        MostFlattredLine(thing=thing.id, url=thing.url, title=thing.title, flattrs=count)
        for thing, count in found
    ]
    return MostFlattredOut(month=str(month), items=lines)


async def explain_problem(call: Call) -> ProblemKindOut:
    """GET /problems/{slug}."""
    problem = problems.explain(call.name("slug"))
    return ProblemKindOut(type=problem.type, title=problem.title, status=problem.status)
