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
from node.flows.vault.stablecoin import Stablecoin
from node.ids import ThingId
from node.money import Asset
from node.month import Month
from node.store.closes import Close, Figures
from node.web import problems, reading
from node.web.endpoint import Call
from node.web.keys import DESK
from node.web.known_popular import Ranking
from node.web.models.base import PageQuery
from node.web.models.health import ProblemKindOut
from node.web.models.months import ClosedMonthOut, ClosedMonthsOut, UsdClosedMonthOut
from node.web.models.things import (
    CountOut,
    MostFlattredLine,
    MostFlattredOut,
    MostFlattredQuery,
    MostOfWeekOut,
    MostOfWeekQuery,
    PublicNodeOut,
    PublicThingOut,
    StablecoinOut,
    ThingUrlQuery,
)

COUNT_FRESH_S: Final = 60
COUNTS_KEPT_MAX: Final = 50_000


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
        if reading.has_already(request, tag):
            return web.Response(status=reading.NOT_MODIFIED, headers=headers)
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
        stablecoin=_stablecoin(node.stablecoin),
    )


async def list_months(call: Call, page: PageQuery) -> ClosedMonthsOut:
    """GET /public/months."""
    before = None if page.after is None else Month.parse(page.after)
    found = await public.closed_months(call.node.store, before, page.limit)
    more = str(found[-1][0]) if len(found) == page.limit else None
    return ClosedMonthsOut(items=[_closed(*one) for one in found], next=more)


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
    month = this_month(call.node.clock) if asked.month is None else Month.parse(asked.month)
    found = await call.desk.popular.of_month(month)
    return MostFlattredOut(month=str(month), items=_most(found, asked.limit))


async def list_most_flattred_week(call: Call, asked: MostOfWeekQuery) -> MostOfWeekOut:
    """GET /public/most-flattred-this-week."""
    found = await call.desk.popular.of_week()
    return MostOfWeekOut(items=_most(found, asked.limit))


async def explain_problem(call: Call) -> ProblemKindOut:
    """GET /problems/{slug}."""
    problem = problems.explain(call.name("slug"))
    return ProblemKindOut(type=problem.type, title=problem.title, status=problem.status)


def _most(found: Ranking, limit: int) -> list[MostFlattredLine]:
    return [
        MostFlattredLine(thing=thing.id, url=thing.url, title=thing.title, flattrs=count)
        for thing, count in found[:limit]
    ]


def _closed(month: Month, by_asset: dict[Asset, Close]) -> ClosedMonthOut:
    sat = by_asset.get(Asset.SAT)
    figures = sat.figures if sat else Figures()
    return ClosedMonthOut(
        month=str(month),
        pots_msat=figures.pots,
        distributed_msat=figures.distributed,
        commission_msat=figures.commission,
        carried_msat=figures.carried,
        readers=figures.readers,
        creators=figures.creators,
        flattrs=figures.flattrs,
        digest=sat.digest if sat else None,
        closed_s=sat.frozen_us // 1_000_000 if sat else None,
        usd=_closed_usd(by_asset.get(Asset.USD)),
    )


def _closed_usd(close: Close | None) -> UsdClosedMonthOut | None:
    if close is None:
        return None
    return UsdClosedMonthOut(
        pots_units=close.figures.pots,
        distributed_units=close.figures.distributed,
        commission_units=close.figures.commission,
        carried_units=close.figures.carried,
        readers=close.figures.readers,
        creators=close.figures.creators,
        flattrs=close.figures.flattrs,
        digest=close.digest,
        closed_s=close.frozen_us // 1_000_000,
    )


def _stablecoin(stablecoin: Stablecoin | None) -> StablecoinOut | None:
    if stablecoin is None:
        return None
    return StablecoinOut(
        network=stablecoin.network,
        chain_id=stablecoin.money.chain_id,
        vault=stablecoin.money.vault.address,
        token=stablecoin.token,
        operator=stablecoin.signer.address,
        treasury=stablecoin.treasury,
        dues_units=stablecoin.rules.dues.units,
        payout_min_units=stablecoin.rules.payout_min.units,
    )
